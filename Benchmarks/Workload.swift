import Flows

/// An architecture and a batch size that other libraries are measured on too.
struct Workload: Sendable {
  let name: String
  let inputDim: Shape
  let batch: Int
  var flow: Flow
  /// The share of weights that are not masked; nil if weights are used more than once per row.
  var shareOfWeights: Double? = 1
  /// The objective of a step; nil: maximum likelihood.
  var objective: (any Objective)?
  /// Flows of which the error chooses one, instead of `flow`.
  var ladder: Ladder?

  static let all: [Workload] = [
    realNVP2D(), realNVP63D(), maf43D(), nsf8D(), actNormLinear64D(), glow,
  ]
  /// Workloads that run by name only.
  static let names =
    ["realnvp-2d", "realnvp-63d", "maf-43d", "nsf-8d", "actnorm-linear-64d", "glow"]
    + ["ot-flow-43d", "cnf-8d", "matching-8d", "autm-8d", "umnn-8d", "spline-8d"]
    + ["glow-64", "tarflow-8x8"]
  static let byName: [Workload] = [
    otFlow43D, cnf8D, matching8D, autm8D, umnn8D, spline8D, glow64, tarFlow8x8,
  ]

  static func realNVP2D(layers: Int = 8) -> Workload {
    Workload(
      name: "realnvp-2d", inputDim: 2, batch: 256,
      flow: withReversals(layers, AffineCoupling(perceptron([64, 64]))))
  }

  static func realNVP63D(layers: Int = 10) -> Workload {
    Workload(
      name: "realnvp-63d", inputDim: 63, batch: 512,
      flow: withReversals(layers, AffineCoupling(perceptron([512, 512]))))
  }

  static func maf43D(layers: Int = 5) -> Workload {
    Workload(
      name: "maf-43d", inputDim: 43, batch: 512,
      flow: withReversals(layers, Autoregressive(MADE(hidden: [512, 512], lastWeight: lastWeight))),
      shareOfWeights: 0.5)
  }

  static func nsf8D(layers: Int = 10) -> Workload {
    let spline = RationalQuadraticSpline(bins: 8, bound: 3)
    return Workload(
      name: "nsf-8d", inputDim: 8, batch: 512,
      flow: withReversals(layers, Coupling(perceptron([128, 128]), spline)))
  }

  static func actNormLinear64D(layers: Int = 32) -> Workload {
    Workload(
      name: "actnorm-linear-64d", inputDim: 64, batch: 1024,
      flow: linear(layers))
  }

  /// Glow on images with two levels of eight steps and convolutions of 128 hidden channels.
  private static let glow = glow(size: 32, levels: 2, steps: 8)

  /// The same Glow on images of 64x64.
  private static let glow64 = glow("glow-64", size: 64, levels: 2, steps: 8, batch: 8)

  static func glow(
    _ name: String = "glow", size: Int, levels: Int, steps: Int, batch: Int = 16
  ) -> Workload {
    let network = ConvNet(hidden: [128, 128], lastWeight: lastWeight)
    return Workload(
      name: name, inputDim: [size, size, 3], batch: batch,
      flow: .glow(levels: levels, steps: steps, learnsPrior: false, network: network), shareOfWeights: nil)
  }

  /// The TarFlow of the example `glow-digits`, on 16 patches of 2x2 pixels.
  private static let tarFlow8x8 = Workload(
    name: "tarflow-8x8", inputDim: [8, 8, 1], batch: 128,
    flow: .tarFlow(blocks: 4, layers: 2, width: 64), shareOfWeights: nil)

  /// OT-Flow with the width and the training steps of MINIBOONE.
  private static let otFlow43D = Workload(
    name: "ot-flow-43d", inputDim: 43, batch: 256, flow: .otFlow(.miniboone), shareOfWeights: nil,
    objective: .otFlow())

  /// A continuous flow along a network.
  private static let cnf8D = Workload(name: "cnf-8d", batch: 256, ladder: .cnf)
  /// The same field in flow matching with optimal pairs. Densities and draws are those of cnf-8d.
  private static let matching8D = Workload(
    name: "matching-8d", batch: 256, ladder: .cnf, objective: FlowMatching(.optimalTransport))
  /// Four couplings of 8 units that integrate a velocity.
  private static let autm8D = Workload(
    name: "autm-8d", batch: 512,
    ladder: .couplings([2, 3, 4, 6, 8, 12, 16, 24, 32], exact: 256) {
      AUTM(units: 8, steps: $0, lipschitz: 2)
    })
  /// Four couplings of 8 units that integrate a positive slope.
  private static let umnn8D = Workload(
    name: "umnn-8d", batch: 512,
    ladder: .couplings([2, 4, 6, 8, 12, 16, 24, 32, 50], exact: 256) { UMNN(units: 8, nodes: $0) })
  /// Four couplings of splines with 8 bins, which have no error.
  private static let spline8D = Workload(
    name: "spline-8d", batch: 512,
    ladder: .couplings([0], exact: 0) { _ in RationalQuadraticSpline(bins: 8, bound: 3) })

  private init(name: String, batch: Int, ladder: Ladder, objective: (any Objective)? = nil) {
    self.init(
      name: name, inputDim: 8, batch: batch, flow: ladder.exact, shareOfWeights: nil, objective: objective,
      ladder: ladder)
  }

  /// A kind of layer whose numbers `Benchmarks/map` varies.
  enum Kind: String, CaseIterable { case affine, masked, spline, linear }

  /// Layers of a kind, of any dimension, depth and width.
  static func scale(_ kind: Kind, dimension: Int, depth: Int, hidden: Int) -> Workload {
    let widths = [hidden, hidden]
    let flow =
      switch kind {
      case .affine: withReversals(depth, AffineCoupling(perceptron(widths)))
      case .masked: withReversals(depth, Autoregressive(MADE(hidden: widths, lastWeight: lastWeight)))
      case .spline:
        withReversals(depth, Coupling(perceptron(widths), RationalQuadraticSpline(bins: 8, bound: 3)))
      case .linear: linear(depth)
      }
    return Workload(
      name: "scale", inputDim: Shape([dimension]), batch: 512, flow: flow,
      shareOfWeights: kind == .masked ? 0.5 : 1)
  }

  init(
    name: String, inputDim: Shape, batch: Int, flow: Flow, shareOfWeights: Double? = 1,
    objective: (any Objective)? = nil, ladder: Ladder? = nil
  ) {
    (self.name, self.inputDim, self.batch, self.flow) = (name, inputDim, batch, flow)
    (self.shareOfWeights, self.objective, self.ladder) = (shareOfWeights, objective, ladder)
  }

  /// The initializer of last layers, which is not zero, so that no product is trivial.
  private static let lastWeight = Initializer.normal(standardDeviation: 0.01)

  private static func perceptron(_ hidden: [Int]) -> MLP { MLP(hidden: hidden, lastWeight: lastWeight) }

  /// Pairs of an affine map of each channel and an invertible matrix.
  private static func linear(_ count: Int) -> Flow {
    Flow(Serial((0..<count).flatMap { _ -> [any Bijection] in [ActNorm(), InvertibleLinear()] }))
  }

  /// Equal layers with a reversal between them.
  private static func withReversals(_ count: Int, _ layer: any Bijection) -> Flow {
    Flow(
      Serial(
        (0..<count).flatMap { i -> [any Bijection] in
          i < count - 1 ? [layer, Reverse()] : [layer]
        }))
  }
}
