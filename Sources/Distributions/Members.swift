import Bijections
import Randomness
import Tensors

/// The initialized members of a mixture or a product.
struct Members: Sendable {
  let params: Params
  let densities: [Mapping]
  let samplers: [Sampler]

  /// Distribution i at `place(i)`, with the key `key.folded(in: i)`.
  init(_ distributions: [any Distribution], _ key: Key, at place: (Int) -> Site) throws(FlowError) {
    var members: [InitializedDistribution] = []
    for (i, distribution) in distributions.enumerated() {
      members.append(try distribution.initialize(key.folded(in: i), at: place(i)))
    }
    params = Params(members.map(\.params))
    (densities, samplers) = (members.map(\.logPDF.mapping), members.map(\.sample))
  }
}
