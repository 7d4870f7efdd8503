import Bijections
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing
import Verification

/// Continuous flows against closed forms.
@Suite struct ContinuousFlowTests {
  private let rotation = Tensor([[0.3, 1.2], [-1.1, 0.2]], dtype: .float64)
  private let x = Tensor([[0.5, -1.25], [-0.3, 0.4], [1.7, -0.6]], dtype: .float64)

  private func made(
    _ flow: ContinuousFlow, inputDim: Shape = 2, contextDim: Shape? = nil, dtype: DType = .float64
  ) throws -> Initialized { try flow(Key(5), inputDim: inputDim, contextDim: contextDim, dtype: dtype) }

  /// e^A by its series.
  private func exponential(_ a: Tensor) -> Tensor {
    var (sum, term) = (Tensor.identity(2, dtype: .float64), Tensor.identity(2, dtype: .float64))
    for k in 1...30 {
      term = matmul(term, a) / Double(k)
      sum = sum + term
    }
    return sum
  }

  /// x' = x A: the end is x e^A, and the trace's integral is exact for any number of steps.
  @Test(arguments: [Solver.steps(64), .tolerance(relative: 1e-10, absolute: 1e-10)])
  func linearMotion(_ solver: Solver) throws {
    let (params, forward, inverse) = try made(
      ContinuousFlow(LinearField(matrix: rotation), solver: solver, logDet: .trace))
    let (y, logDet) = try forward(params, x)
    #expect(isClose(y, matmul(x, exponential(rotation)), 1e-8))
    #expect(isClose(logDet, .full([3], 0.5, dtype: .float64), 1e-13))
    let (back, inverseLogDet) = try inverse(params, y)
    #expect(isClose(back, x, 1e-8) && isClose(inverseLogDet, .full([3], -0.5, dtype: .float64), 1e-13))
  }

  /// The optimal transport between normal distributions. Equal steps are exact on straight lines.
  @Test func normalTransport() throws {
    let (means, deviations) = ([0.5, -1.0], [2.0, 0.6])
    let field = NormalTransport(means: means, deviations: deviations)
    let (params, forward, _) = try made(ContinuousFlow(field, solver: .steps(16), logDet: .trace))
    let (y, logDet) = try forward(params, x)
    let target =
      (x - Tensor(means, dtype: .float64)) / Tensor(deviations, dtype: .float64)
    #expect(isClose(y, target, 1e-14))
    let logDeviations = log(Tensor(deviations, dtype: .float64)).sum().item
    #expect(isClose(logDet, .full([3], -logDeviations, dtype: .float64), 1e-6))
    var layer = 0
    let costs = try forward.pathIntegrals(
      params, x, nil, PathRequest([.transport, .optimality]), layer: &layer
    ).costs
    #expect(isClose(costs.sliced(axis: 1, 0..<1), 0.5 * square(y - x).sum(axis: 1, keepDims: true), 1e-13))
    #expect(abs(costs.sliced(axis: 1, 1..<2)).doubles.max()! < 1e-13)
    #expect(layer == 1)
  }

  /// Equal steps have order 4, and the estimate of the error by twice the steps is right.
  @Test func orderFour() throws {
    let flow = { ContinuousFlow(LinearField(matrix: rotation), solver: .steps($0), logDet: .trace) }
    let params = try made(flow(1)).params
    func error(_ steps: Int) throws -> Double {
      let y = try made(flow(steps)).forward(params, x).outputs
      return abs(y - matmul(x, exponential(rotation))).doubles.max()!
    }
    #expect(abs(try error(8) / error(16) - 16) < 1.5)
    let diagnosis = try flow(8).diagnosis(params, x)
    #expect(abs(diagnosis.solverErrors.max()! / (try error(8)) - 1) < 0.1)
    #expect(diagnosis.evaluations == [41, 41, 41] && diagnosis.lostRows.isEmpty)
    let largest = try #require(diagnosis.inverseErrors.max())
    #expect(largest > 1e-7 && largest < 1e-4)
  }

  /// The trace's integral is the log-det of the steps to fourth order: 128 steps pass the usual check.
  @Test func traceAtManySteps() throws {
    func check(_ steps: Int) throws -> Bool {
      let (params, forward, inverse) = try made(
        ContinuousFlow(OTFlowPotential(width: 3), solver: .steps(steps), logDet: .trace))
      return try LogDetCheck(params, forward: forward, inverse: inverse, inputs: x).run()
        .passes
    }
    #expect(try check(128))
    #expect(try !check(8))
  }

  /// Adaptive steps are constants of their derivatives, so the discrete log-det is exact for what runs.
  @Test func discreteLogDetOfAdaptiveSteps() throws {
    let flow = ContinuousFlow(
      ConcatSquash(hidden: [4]), solver: .tolerance(relative: 1e-3, absolute: 1e-3), logDet: .discrete)
    let (params, forward, inverse) = try made(flow)
    try LogDetCheck(params, forward: forward, inverse: inverse, inputs: x).verify()
  }

  private static let fields: [any VelocityField] = [
    ConcatSquash(hidden: [4]), OTFlowPotential(width: 4),
    NetworkField(MLP(hidden: [4], activation: .tanh, lastWeight: .glorotUniform)),
  ]

  /// ∫ p = 1 on a grid, for the density that a standard normal at the end gives.
  @Test(arguments: 0..<3, [ContinuousFlow.LogDet.trace, .discrete])
  func densityIntegratesToOne(_ field: Int, _ logDet: ContinuousFlow.LogDet) throws {
    let (initial, forward, _) = try made(
      ContinuousFlow(Self.fields[field], solver: .steps(logDet == .trace ? 12 : 6), logDet: logDet))
    let params = initial.map { 0.6 * $0 }  // slow enough for the mass to lie in the grid
    let (width, count) = (14.0, 50)
    let numbers = (0..<count).map { -width / 2 + width * (Double($0) + 0.5) / Double(count) }
    let grid = Tensor(numbers.flatMap { a in numbers.map { [a, $0] } }, dtype: .float64)
    let (y, l) = try forward(params, grid)
    let density = exp(-0.5 * square(y).sumPerRow() + l) / (2 * .pi)
    let total = density.sum().item * (width / Double(count)) * (width / Double(count))
    #expect(abs(total - 1) < 1e-3, "\(total)")
  }

  @Test func solverIsNoParameter() throws {
    let coarse = ContinuousFlow(OTFlowPotential(width: 4), solver: .steps(4))
    let fine = ContinuousFlow(
      OTFlowPotential(width: 4), solver: .tolerance(relative: 1e-8, absolute: 1e-8), exactInverse: false)
    let params = try made(coarse).params
    let (a, b) = (try made(coarse).forward(params, x), try made(fine).forward(params, x))
    #expect(isClose(a.outputs, b.outputs, 0.05) && !isClose(a.outputs, b.outputs, 1e-7))
  }

  @Test func exactInverseOfManyNumbers() throws {
    let flow = ContinuousFlow(
      NetworkField(MLP(hidden: [8], activation: .tanh, lastWeight: .glorotUniform)), solver: .steps(4),
      logDet: .trace, exactInverse: true)
    let (params, forward, inverse) = try made(flow, inputDim: 6)
    let x = wave([5, 6])
    let (y, logDet) = try forward(params, x)
    let (back, inverseLogDet) = try inverse(params, y)
    #expect(isClose(back, x, 1e-13) && isClose(inverseLogDet, -logDet, 1e-12))
  }
}
