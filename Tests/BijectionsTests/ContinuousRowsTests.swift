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

  /// A row of 1000 has the bits of the row alone, on any number of threads, beside a NaN.
  @Test(arguments: solvers, [DType.float32, .float64])
  func rowsAreAlone(_ solver: Solver, _ dtype: DType) throws {
    let flow = ContinuousFlow(field, solver: solver, logDet: .trace)
    let (params, forward, inverse) = try flow(Key(1), inputDim: 3, contextDim: 1, dtype: dtype)
    let nan = Tensor.full([1, 3], .nan, dtype: dtype)
    let x = concatenate([2 * wave([999, 3], dtype: dtype), nan], axis: 0)
    let context = wave([1000, 1], phase: 1, dtype: dtype)
    for mapping in [forward, inverse] {
      let all = try Parallelism.$threads.withValue(1) { try mapping(params, x, given: context) }
      for threads in 2...8 where dtype == .float32 || threads == 8 {
        let same = try Parallelism.$threads.withValue(threads) { try mapping(params, x, given: context) }
        #expect(all.outputs[0..<999].isIdentical(to: same.outputs[0..<999]))
        #expect(all.logDet[0..<999].isIdentical(to: same.logDet[0..<999]))
      }
      for row in [0, 7, 998] {
        let alone = try mapping(params, x[row..<row + 1], given: context[row..<row + 1])
        #expect(alone.outputs.isIdentical(to: all.outputs[row..<row + 1]))
        #expect(alone.logDet.isIdentical(to: all.logDet[row..<row + 1]))
      }
      #expect(all.outputs[0..<999].isFinite && all.logDet[999].item.isNaN)
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
    let text = try #require(error).description
    #expect(text.contains("stopped at t = 0.") && text.hasSuffix("got NaN or infinity in row 1"), "\(text)")
    #expect(throws: Never.self) { try throwing(params, x.rows([0, 2, 3])) }
  }

  /// An infinite row is lost, although its velocity is finite. Others are not.
  @Test(arguments: solvers) func infiniteRows(_ solver: Solver) throws {
    let flow = ContinuousFlow(field, solver: solver, logDet: .trace)
    let (params, forward, inverse) = try flow(Key(1), inputDim: 2)
    let x = Tensor([[.infinity, 0], [0.5, 1e30], [-1, 0]])
    for mapping in [forward, inverse] {
      let (y, logDet) = try mapping(params, x)
      #expect(y[0].doubles.allSatisfy(\.isNaN) && logDet.doubles[0].isNaN)
      #expect(y[1..<3].isFinite && logDet[1..<3].isFinite)
    }
    #expect(try flow.diagnosis(params, x).lostRows.map(\.row) == [0])
    let strict = ContinuousFlow(field, solver: solver, logDet: .trace, onFailure: .throw)
    #expect(throws: Never.self) { try strict(Key(1), inputDim: 2).forward(params, x) }
  }

  /// The number is that in the whole batch, although shards run by themselves.
  @Test(arguments: [1, 2, 3]) func theNumberOfALostRow(_ threads: Int) throws {
    let strict = ContinuousFlow(ExplodingField(), solver: .steps(20), onFailure: .throw)
    let (params, forward, _) = try strict(Key(0), inputDim: 1, dtype: .float64)
    let x = concatenate([.zeros([1_100, 1], dtype: .float64), Tensor([[3]], dtype: .float64)], axis: 0)
    Parallelism.$threads.withValue(threads) {
      let error = #expect(throws: FlowError.self) { try forward(params, x) }
      #expect(error?.description.contains("in row 1100") == true, "\(error as Any)")
      let sharded = #expect(throws: FlowError.self) {
        try valueAndGradient(at: params, over: x) { params, rows in try forward(params, rows).logDet }
      }
      #expect(sharded == error)
    }
    let exact = ContinuousFlow(ExplodingField(), solver: .steps(4), exactInverse: true, onFailure: .throw)
    let inverse = try exact(Key(0), inputDim: 1, dtype: .float64).inverse
    let far = Tensor([[0.1], [-9]], dtype: .float64)
    let lost = #expect(throws: FlowError.self) { try inverse(params, far) }
    #expect(lost?.description.hasSuffix("in row 1") == true, "\(lost as Any)")
  }

  @Test func wrongSettingsThrow() throws {
    for flow in [
      ContinuousFlow(field, solver: .steps(0)),
      ContinuousFlow(field, solver: .tolerance(relative: 1e-9, absolute: 1e-9)),
      ContinuousFlow(field, solver: .tolerance(relative: 1e-3, absolute: 1e-3), exactInverse: true),
    ] {
      #expect(throws: FlowError.self) { try flow(Key(0), inputDim: 2) }
    }
    let unreachable = #expect(throws: FlowError.self) {
      try ContinuousFlow(field, solver: .tolerance(relative: 1e-9, absolute: 1e-9))(Key(0), inputDim: 2)
    }
    let text = unreachable?.description ?? ""
    #expect(text.contains("a relative tolerance from") && text.hasSuffix("float32, below 1, got 1e-09"))
    let most = Solver.tolerance(relative: 1e-3, absolute: 1e-3, limit: .max)
    for flow in [
      ContinuousFlow(field, solver: .steps(.max)), ContinuousFlow(field, solver: most),
      ContinuousFlow(ConcatSquash(hidden: [4, 0])),
    ] {
      #expect(throws: FlowError.self) { try flow(Key(0), inputDim: 2) }
    }
    let flow = ContinuousFlow(field)
    let params = try flow(Key(0), inputDim: 2).params
    #expect(throws: FlowError.self) { try flow.diagnosis(params, Tensor(1.0)) }
    #expect(throws: FlowError.self) { try flow.trajectories(params, .zeros([3, 2]), given: Tensor(1.0)) }
    #expect(throws: FlowError.self) { try flow.diagnosis(params, .zeros([3, 4])) }
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

  /// A first step far below the dtype's resolution of time is no reason to give up.
  @Test(arguments: [
    (1e-2, 1e-9, DType.float32), (1e-3, 1e-10, .float32), (1e-5, 1e-12, .float32), (1e-6, 1e-12, .float32),
    (1e-2, 1e-18, .float64),
  ])
  func strictAbsoluteTolerances(relative: Double, absolute: Double, dtype: DType) throws {
    let solver = Solver.tolerance(relative: relative, absolute: absolute)
    let flow = ContinuousFlow(OTFlowPotential(width: 8), solver: solver, logDet: .trace)
    let (params, _, _) = try flow(Key(0), inputDim: 3, dtype: dtype)
    let diagnosis = try flow.diagnosis(params, Key(1).normal([10, 3], dtype: dtype))
    #expect(diagnosis.lostRows.isEmpty)
  }
}
