import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Flows of angles: the networks of couplings and autoregressive layers see angles without a cut.
@Suite struct CircularTests {
  private static let spline = CircularRationalQuadraticSpline(bins: 4)
  private static let net = MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)

  private static func made(_ order: MADE.Degrees = .ordered) -> MADE {
    MADE(hidden: [8], activation: .tanh, order: order, lastWeight: .glorotUniform)
  }

  private static func twice(_ layer: any Bijection) -> Flow {
    Flow(Serial(layer, Reverse(), layer, Reverse()), prior: Uniform(from: -.pi, to: .pi))
  }

  private static let flows: [(name: String, flow: Flow)] = [
    ("coupling", twice(Coupling(net, spline))),
    ("coupling, inverse", twice(Coupling(net, InverseTransformer(spline), split: .alternating))),
    ("autoregressive", twice(Autoregressive(made(), spline))),
    (
      "autoregressive, residual, von Mises",
      Flow(
        Autoregressive(
          MADE(width: 6, residualBlocks: 1, activation: .tanh, lastWeight: .glorotUniform), spline),
        prior: VonMises(location: [1, -2], concentration: [0.5, 2]))
    ),
    ("inverse autoregressive", twice(Inverted(Autoregressive(made(.random), spline)))),
    ("HINT", twice(HINT(net, spline))),
  ]

  private func initialized(_ flow: Flow) throws -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let (params, logPDF, sample) = try flow(Key(3), inputDim: 2, dtype: .float64)
    return (params.perturbed(Key(4), by: 0.1), logPDF, sample)
  }

  /// Rows with one angle at the cut, from one of its sides.
  private func atTheCut(_ angle: Double, _ other: Tensor, _ column: Int) -> Tensor {
    let cut = Tensor.full(other.shape, angle, dtype: .float64)
    return concatenate(column == 0 ? [cut, other] : [other, cut], axis: 1)
  }

  private func jump(_ flow: Flow) throws -> Double {
    let (params, logPDF, _) = try initialized(flow)
    let other = Key(5).uniform([20, 1], in: -3..<3, dtype: .float64)
    var largest = 0.0
    for column in 0..<2 {
      let step = 1e-12
      let left = try logPDF(params, atTheCut(.pi - step, other, column))
      let right = try logPDF(params, atTheCut(-.pi + step, other, column))
      largest = max(largest, abs(left - right).max(axis: 0).item)
    }
    return largest
  }

  @Test(arguments: flows.indices) func continuousAtTheCut(_ i: Int) throws {
    let (name, flow) = Self.flows[i]
    let jump = try jump(flow)
    #expect(jump < 1e-9, "\(name): \(jump)")
    let (params, logPDF, _) = try initialized(flow)
    let rows = atTheCut(.pi - 1e-12, Tensor([[0.3], [3.1415926535]], dtype: .float64), 0)
    let byInputs = try gradient(at: rows) { try logPDF(params, $0).sum() }
    let byParams = try gradient(at: params) { try logPDF($0, rows).sum() }
    #expect(byInputs.isFinite && byParams.leaves.allSatisfy(\.isFinite))
  }

  /// The raw angle has a jump, which this suite's measure sees.
  @Test func rawAnglesJump() throws {
    #expect(try jump(Self.twice(Coupling(Self.net, Self.spline, isPeriodic: false))) > 1e-3)
  }

  @Test(arguments: flows.indices) func integratesToOne(_ i: Int) throws {
    let (name, flow) = Self.flows[i]
    let (params, logPDF, _) = try initialized(flow)
    let count = 250
    let angles = (0..<count).map { -Double.pi + (Double($0) + 0.5) * 2 * .pi / Double(count) }
    let grid = Tensor(angles.flatMap { a in angles.map { [a, $0] } }, dtype: .float64)
    let cell = 4 * Double.pi * .pi / Double(count * count)
    let mass = exp(try logPDF(params, grid)).sum().item * cell
    #expect(abs(mass - 1) < 1e-3, "\(name): \(mass)")
  }

  @Test(arguments: flows.indices) func acceptsItsDraws(_ i: Int) throws {
    for dtype in [DType.float32, .float64] {
      try OwnDraws(
        name: Self.flows[i].name, distribution: Self.flows[i].flow, inputDim: 2, count: 100, units: 10
      ).check(dtype)
    }
  }

  /// An angle and a number that pass together: the network sees the angle on its circle, and the number.
  @Test func cylinder() throws {
    let net = PeriodicFeatures(Self.net, features: 0..<1)
    let layer = Coupling(net, Affine(), split: .mask([true, true, false]))
    let (start, forward, _) = try layer(Key(0), inputDim: 3, contextDim: 1, dtype: .float64)
    let params = start.perturbed(Key(1), by: 0.5)
    func last(_ angle: Double, _ number: Double) throws -> Double {
      let x = Tensor([[angle, number, 1]], dtype: .float64)
      return try forward(params, x, given: Tensor([[0.5]], dtype: .float64)).outputs.doubles[2]
    }
    #expect(abs(try last(.pi, 0.4) - last(-.pi, 0.4)) < 1e-12)
    #expect(abs(try last(1, .pi) - last(1, -.pi)) > 1e-3)
    #expect(throws: FlowError.self) {
      _ = try PeriodicFeatures(Self.net, features: 0..<3)(Key(0), inputDim: 2, outputDim: 1)
    }
  }

  /// A transformer of numbers behind angles, by the coupling's own option.
  @Test func anglesBeforeNumbers() throws {
    let layer = Coupling(Self.net, Affine(), isPeriodic: true)
    let (start, forward, _) = try layer(Key(0), inputDim: 2, dtype: .float64)
    let params = start.perturbed(Key(1), by: 0.5)
    let x = Tensor([[.pi, 1], [-.pi, 1], [0, 1]], dtype: .float64)
    let y = try forward(params, x).outputs.doubles
    #expect(abs(y[1] - y[3]) < 1e-12 && abs(y[1] - y[5]) > 1e-3)
  }
}
