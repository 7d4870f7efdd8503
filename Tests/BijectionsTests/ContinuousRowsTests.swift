import Bijections
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

/// Rows, failures, checkpoints and settings of continuous flows.
@Suite struct ContinuousRowsTests {
  private static let solvers: [Solver] = [.steps(3), .tolerance(relative: 1e-3, absolute: 1e-3)]
  private let field = ConcatSquash(hidden: [5])

  /// A row of 300 has the bits of the row alone, on any number of threads, beside a NaN.
  @Test(arguments: solvers, [DType.float32, .float64])
  func rowsAreAlone(_ solver: Solver, _ dtype: DType) throws {
    let flow = ContinuousFlow(field, solver: solver, logDet: .trace)
    let (params, forward, inverse) = try flow(Key(1), inputDim: 3, contextDim: 1, dtype: dtype)
    let nan = Tensor.full([1, 3], .nan, dtype: dtype)
    let x = concatenate([2 * wave([299, 3], dtype: dtype), nan], axis: 0)
    let context = wave([300, 1], phase: 1, dtype: dtype)
    for mapping in [forward, inverse] {
      let all = try Parallelism.$threads.withValue(1) { try mapping(params, x, given: context) }
      let threads = try Parallelism.$threads.withValue(4) { try mapping(params, x, given: context) }
      #expect(all.outputs[0..<299].isIdentical(to: threads.outputs[0..<299]))
      for row in [0, 7, 298] {
        let alone = try mapping(params, x[row..<row + 1], given: context[row..<row + 1])
        #expect(alone.outputs.isIdentical(to: all.outputs[row..<row + 1]))
        #expect(alone.logDet.isIdentical(to: all.logDet[row..<row + 1]))
      }
      #expect(all.outputs[0..<299].isFinite && all.logDet[299].item.isNaN)
    }
  }

  /// Checkpoints give the bits of stored activations, for equal and adaptive steps.
  @Test(arguments: solvers) func checkpointsKeepBits(_ solver: Solver) throws {
    func gradients(keeps: Bool) throws -> Params {
      let flow = ContinuousFlow(field, solver: solver, logDet: .trace, keepsActivations: keeps)
      let (params, forward, _) = try flow(Key(1), inputDim: 2, contextDim: 1)
      let point: Params = [
        "params": params, "x": .leaf(wave([6, 2], dtype: .float32)),
        "context": .leaf(wave([6, 1], phase: 2, dtype: .float32)),
      ]
      return try valueAndGradient(at: point) {
        let (y, logDet) = try forward($0.child("params"), $0["x"], given: $0["context"])
        return square(y).sum() + logDet.sum()
      }.gradient
    }
    let (again, stored) = (try gradients(keeps: false), try gradients(keeps: true))
    #expect(again.isIdentical(to: stored))
    #expect(again.leaves.allSatisfy { $0.doubles.contains { $0 != 0 } })
  }

  /// Values do not depend on whether they are followed by a derivative.
  @Test func followedValuesHaveTheSameBits() throws {
    let flow = ContinuousFlow(
      field, solver: .tolerance(relative: 1e-4, absolute: 1e-4), logDet: .trace)
    let (params, forward, _) = try flow(Key(1), inputDim: 2)
    let x = wave([6, 2], dtype: .float32)
    let (value, _) = try valueAndGradient(at: params) { try forward($0, x).outputs.sum() }
    #expect(value.isIdentical(to: try forward(params, x).outputs.sum()))
  }

  @Test(arguments: [Solver.steps(20), .tolerance(relative: 1e-5, absolute: 1e-5)])
  func blownUpRowsAreReported(_ solver: Solver) throws {
    let x = Tensor([[0.5], [3], [-1], [.nan]], dtype: .float64)
    let flow = ContinuousFlow(ExplodingField(), solver: solver, logDet: .trace)
    let (params, forward, _) = try flow(Key(0), inputDim: 1, dtype: .float64)
    let y = try forward(params, x).outputs.doubles
    #expect(y[1].isNaN && y[3].isNaN)
    #expect(abs(y[0] - 1) < 1e-3 && abs(y[2] + 0.5) < 1e-3)
    let lost = try flow.diagnosis(params, x).lostRows
    #expect(lost.map(\.row) == [1, 3] && lost[0].time > 0.2 && lost[0].time < 0.8, "\(lost)")

    let strict = ContinuousFlow(ExplodingField(), solver: solver, onFailure: .throw)
    let throwing = try strict(Key(0), inputDim: 1, dtype: .float64).forward
    let error = #expect(throws: FlowError.self) { try throwing(params, x) }
    #expect(try #require(error).description.contains("stopped at t = 0."))
    #expect(throws: Never.self) { try throwing(params, x.rows([0, 2, 3])) }
  }

  @Test func wrongSettingsThrow() throws {
    for flow in [
      ContinuousFlow(field, solver: .steps(0)),
      ContinuousFlow(field, solver: .tolerance(relative: 1e-9, absolute: 1e-9)),
      ContinuousFlow(field, solver: .tolerance(relative: 1e-3, absolute: 1e-3), exactInverse: true),
    ] {
      #expect(throws: FlowError.self) { try flow(Key(0), inputDim: 2) }
    }
    for field: any VelocityField in [field, OTFlowPotential(width: 2), NetworkField()] {
      #expect(throws: FlowError.self) {
        try ContinuousFlow(field)(Key(0), inputDim: 2, contextDim: [2, 2])
      }
    }
  }

  @Test func emptyBatchesAndOneRow() throws {
    for solver in Self.solvers {
      let (params, forward, _) = try ContinuousFlow(field, solver: solver)(Key(0), inputDim: 1)
      #expect(try forward(params, .zeros([0, 1])).outputs.shape == [0, 1])
      #expect(try forward(params, .ones([1, 1])).logDet.isFinite)
    }
  }

  @Test func trajectoriesEndAtTheLatents() throws {
    let flow = ContinuousFlow(OTFlowPotential(width: 3), solver: .steps(4))
    let (params, forward, _) = try flow(Key(0), inputDim: [1, 2], dtype: .float64)
    let x = wave([5, 1, 2])
    let path = try flow.trajectories(params, x, intervals: 4)
    #expect(path.shape == [5, 5, 1, 2] && path[0].isIdentical(to: x))
    #expect(isClose(path[4], try forward(params, x).outputs, 1e-2))
  }
}
