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

  /// A sampler made of the members' functions. It has a temperature if all members have one.
  func sampler(
    _ boundary: Boundary, _ combined: @escaping @Sendable (_ draws: [Sampler.Body]) -> Sampler.Body
  )
    -> Sampler
  {
    let tempered = samplers.compactMap(\.tempered)
    var atTemperature: (@Sendable (Double) -> Sampler.Body)?
    if tempered.count == samplers.count {
      atTemperature = { temperature in combined(tempered.map { $0(temperature) }) }
    }
    return Sampler(
      boundary, tempered: atTemperature, body: combined(samplers.map(\.body)))
  }
}
