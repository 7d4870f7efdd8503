import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

@testable import Bijections

/// Continuous flows against normal distributions, and their errors against those of the solver.
@Suite struct ContinuousClosedFormTests {
  private let x = Tensor([[0.5, -1.25], [-0.3, 0.4], [1.7, -0.6]], dtype: .float64)

  private func made(_ flow: ContinuousFlow, inputDim: Shape = 2) throws -> Initialized {
    try flow(Key(5), inputDim: inputDim, dtype: .float64)
  }

  /// A normal distribution of full covariance Σ = Q diag(s²) Qᵀ, and rows μ ± √2 sᵢ Q eᵢ, which have its mean
  /// and its covariance.
  private let axes = Tensor([[0.6, -0.8], [0.8, 0.6]], dtype: .float64)
  private let mean = Tensor([0.7, -1.1], dtype: .float64)
  private let deviations = [2.0, 0.6]
  private var rows: Tensor {
    let along = [deviations[0] * 2.0.squareRoot(), deviations[1] * 2.0.squareRoot()]
    let corners = Tensor([[along[0], 0], [-along[0], 0], [0, along[1]], [0, -along[1]]], dtype: .float64)
    return mean + matmul(corners, axes, transposeB: true)
  }
  private func transport(_ steps: Int) throws -> Initialized {
    let field = NormalTransport(
      means: matmul(mean.reshaped(to: [1, 2]), axes).doubles, deviations: deviations, axes: axes)
    return try made(ContinuousFlow(field, solver: .steps(steps), logDet: .trace))
  }

  /// The optimal map is (x − μ) Σ^(−½), the mean cost ½ W₂² = ½ (|μ|² + tr(Σ + I − 2 Σ^½)), and the potential
  /// solves the Hamilton-Jacobi-Bellman equation.
  @Test func optimalTransportOfANormalDistribution() throws {
    let (params, forward, inverse) = try transport(8)
    let half = matmul(axes / Tensor(deviations, dtype: .float64), axes, transposeB: true)
    let y = matmul(rows - mean, half)
    let end = try forward(params, rows).outputs
    #expect(isClose(end, y, 1e-13))
    #expect(isClose(try inverse(params, y).outputs, rows, 1e-12))
    var layer = 0
    let costs = try forward.pathIntegrals(
      params, rows, nil, PathRequest([.transport, .optimality]), layer: &layer
    ).costs
    let (s, one) = (Tensor(deviations, dtype: .float64), Tensor([1, 1], dtype: .float64))
    let distance = 0.5 * (square(mean).sum().item + square(s - one).sum().item)
    #expect(abs(costs.sliced(axis: 1, 0..<1).mean().item - distance) < 1e-12)
    #expect(abs(costs.sliced(axis: 1, 1..<2)).doubles.max()! < 1e-12)
  }

  /// The integral of the trace comes close to −½ log det Σ with the fourth power of the step.
  @Test func logDetOfTheOptimalMap() throws {
    let exact = -log(Tensor(deviations, dtype: .float64)).sum().item
    func error(_ steps: Int) throws -> Double {
      let (params, forward, _) = try transport(steps)
      return abs(try forward(params, rows).logDet - exact).doubles.max()!
    }
    let (coarse, fine) = (try error(8), try error(16))
    #expect(coarse < 1e-5 && abs(coarse / fine - 16) < 3, "\(coarse), \(fine)")
  }

  /// In one dimension the default log-det is that of the steps, and the optimal map is straight.
  @Test func oneNumber() throws {
    let field = NormalTransport(means: [0.5], deviations: [2])
    let (params, forward, inverse) = try made(ContinuousFlow(field, solver: .steps(3)), inputDim: 1)
    let x = Tensor([[-3], [0.25], [4]], dtype: .float64)
    let (y, logDet) = try forward(params, x)
    #expect(isClose(y, (x - 0.5) / 2, 1e-14))
    #expect(isClose(logDet, .full([3], -0.6931471805599453, dtype: .float64), 1e-14))
    #expect(isClose(try inverse(params, y).outputs, x, 1e-13))
  }

  /// Both directions' log-dets cancel better and better as steps are halved, and so do the positions.
  @Test func bothDirectionsComeTogether() throws {
    func errors(_ steps: Int) throws -> (logDet: Double, inverse: Double) {
      let flow = ContinuousFlow(OTFlowPotential(width: 6), solver: .steps(steps), logDet: .trace)
      let (params, forward, inverse) = try made(flow)
      let (y, there) = try forward(params, x)
      let sums = abs(there + (try inverse(params, y).logDet)).doubles
      let diagnosis = try flow.diagnosis(params, x)
      #expect(zip(diagnosis.logDetErrors, sums).allSatisfy { abs(abs($0) - $1) < 1e-15 })
      return (sums.max()!, diagnosis.inverseErrors.max()!)
    }
    let (coarse, fine) = (try errors(8), try errors(32))
    // Of fourth order: 256 at least, up to the signs of higher terms.
    #expect(coarse.logDet > 100 * fine.logDet && fine.logDet < 1e-4, "\(coarse), \(fine)")
    #expect(coarse.inverse > 100 * fine.inverse && fine.inverse > 0, "\(coarse), \(fine)")
  }

  /// The estimate of the error by a smaller tolerance is about the error.
  @Test func theErrorOfATolerance() throws {
    let field = ConcatSquash(hidden: [5])
    let flow = ContinuousFlow(field, solver: .tolerance(relative: 1e-4, absolute: 1e-4), logDet: .trace)
    let params = try made(flow).params
    let exact = try made(
      ContinuousFlow(field, solver: .tolerance(relative: 1e-12, absolute: 1e-12), logDet: .trace))
    let y = try made(flow).forward(params, x).outputs
    let errors = abs(y - (try exact.forward(params, x).outputs)).max(axis: 1).doubles
    let diagnosis = try flow.diagnosis(params, x)
    for (own, error) in zip(diagnosis.solverErrors, errors) {
      #expect(own > 0.5 * error && own < 2 * error && error < 2e-3, "\(own) of \(error)")
    }
  }

  /// Over all sign vectors, the estimated integral of a linear field's trace has the mean tr A. Its variance
  /// is 2 Σ S² off the diagonal of the symmetric part S. The Jacobian's cost has the mean ‖A‖².
  @Test(arguments: [Solver.steps(2), .tolerance(relative: 1e-3, absolute: 1e-3)])
  func hutchinsonsEstimateThroughTheSolver(_ solver: Solver) throws {
    let matrix = Tensor([[0.3, 1.2, -0.4], [-0.5, 0.2, 0.8], [0.1, 0.6, -0.7]], dtype: .float64)
    let (params, forward, _) = try made(
      ContinuousFlow(LinearField(matrix: matrix), solver: solver, logDet: .trace), inputDim: 3)
    let signs = Tensor(
      (0..<8).map { i in (0..<3).map { i >> $0 & 1 == 0 ? -1.0 : 1.0 } }, dtype: .float64)
    var layer = 0
    let (_, logDet, costs) = try forward.pathIntegrals(
      params, wave([8, 3]), nil, PathRequest(.jacobian) { _, _ in signs }, layer: &layer)
    let mean = logDet.mean().item
    #expect(abs(mean + 0.2) < 1e-12)
    let symmetric = 0.5 * (matrix + matrix.transposed()) * (1 - Tensor.identity(3, dtype: .float64))
    #expect(abs(square(logDet - mean).mean().item - 2 * square(symmetric).sum().item) < 1e-12)
    #expect(abs(costs.mean().item - square(matrix).sum().item) < 1e-12)
  }
}
