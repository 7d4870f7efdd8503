import Flows

/// An architecture and a batch that other libraries are measured on too.
struct Workload: Sendable {
  let name: String
  let dimension: Int
  let batch: Int
  let flow: Flow

  static let all: [Workload] = [realNVP2D, realNVP63D, actNormLinear64D]

  private static let realNVP2D = Workload(
    name: "realnvp-2d", dimension: 2, batch: 256, flow: Flow(couplings(8, hidden: [64, 64])))
  private static let realNVP63D = Workload(
    name: "realnvp-63d", dimension: 63, batch: 512, flow: Flow(couplings(10, hidden: [512, 512])))
  private static let actNormLinear64D = Workload(
    name: "actnorm-linear-64d", dimension: 64, batch: 1024,
    flow: Flow(Serial((0..<32).flatMap { _ -> [any Bijection] in [ActNorm(), InvertibleLinear()] })))

  /// Affine couplings with a reversal between them. Last layers start away from zero, so that no product is trivial.
  private static func couplings(_ count: Int, hidden: [Int]) -> Serial {
    let network = MLP(hidden: hidden, lastWeight: .normal(standardDeviation: 0.01))
    return Serial(
      (0..<count).flatMap { i -> [any Bijection] in
        [AffineCoupling(network)] + (i < count - 1 ? [Reverse()] : [])
      })
  }
}
