import Bijections
import Randomness
import Tensors

/// Distributions beside each other, as the components of a mixture and the factors of a product are.
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
