import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Far from mean 0 and variance 1.
private func data(_ rows: Int, _ dtype: DType = .float64) -> Tensor {
  let z = Key(9).normal([rows, 2]).cast(to: dtype)
  return z * Tensor([3, 0.1], dtype: dtype) + Tensor([10, -5], dtype: dtype)
}

private func flow(_ mode: BatchNorm.Mode) -> Flow {
  Flow(Serial(ActNorm(), BatchNorm(mode: mode), AffineCoupling(MLP(hidden: [8])), BatchNorm(mode: mode)))
}

@Suite struct BatchNormTests {
  /// Flax's numbers, with statistics that move.
  @Test func trainingIsTheReference() throws {
    let reference = try LinearFixture.load().batchNorm[0]
    let layer = BatchNorm(momentum: reference.momentum)
    let (initial, forward, _) = try layer(Key(0), inputDim: 3, dtype: .float64)
    var params = try initial.replacing("logScale", by: .leaf(reference.logScale.tensor))
      .replacing("bias", by: .leaf(reference.bias.tensor))
    for step in reference.steps {
      let (y, logDet) = try forward(params, step.x.tensor)
      #expect(isClose(y, step.y.tensor, 1e-9))  // the third channel has mean 50 and deviation 10⁻³
      #expect(isClose(logDet, Tensor(step.logDet, dtype: .float64), 1e-10))
      params = try forward.updatingStatistics(params, step.x.tensor)
      #expect(isClose(params["runningMean"], step.runningMean.tensor, 1e-10))
      #expect(isClose(params["runningVariance"], step.runningVariance.tensor, 1e-10))
    }
  }

  /// jax-flows computes its running statistics into locals that nothing reads, so its evaluation mode has
  /// mean 0 and variance 1 for ever. Here they are leaves, move, and evaluation mode uses them.
  @Test func evaluationUsesTheStatisticsThatTrainingMoved() throws {
    let x = data(500)
    let (initial, training, _) = try BatchNorm(momentum: 0.5)(Key(0), inputDim: 2, dtype: .float64)
    let (_, evaluation, _) = try BatchNorm(mode: .evaluation)(Key(1), inputDim: 2, dtype: .float64)
    var params = initial
    for _ in 0..<60 { params = try training.updatingStatistics(params, x) }
    let (y, _) = try evaluation(params, x)
    #expect(isClose(y.mean(axis: 0), .zeros([2], dtype: .float64), 1e-6))
    #expect(isClose(square(y).mean(axis: 0), .ones([2], dtype: .float64), 1e-2))
    let (never, _) = try evaluation(initial, x)
    #expect(!isClose(y, never, 1e-1), "evaluation ignores what training moved")
    #expect(
      isClose(y, try training(params, x).outputs, 1e-6), "at the batch's own statistics both modes agree")
  }

  @Test func modesShareOneTree() throws {
    let (a, training, _) = try BatchNorm()(Key(0), inputDim: 3)
    let (b, evaluation, _) = try BatchNorm(mode: .evaluation)(Key(0), inputDim: 3)
    #expect(a.isIdentical(to: b))
    #expect(a.learned.paths == ["logScale", "bias"])
    #expect(training.traits == .couplesRows)
    #expect(evaluation.traits == [])
    // Evaluation mode moves nothing.
    #expect(try evaluation.updatingStatistics(a, wave([4, 3], dtype: .float32)).isIdentical(to: a))
  }

  /// With momentum 0 the running statistics are the batch's, and the inverse undoes the training forward.
  @Test func inverseUndoesTheBatchWhoseStatisticsItHas() throws {
    let x = data(20)
    let (initial, forward, inverse) = try BatchNorm(momentum: 0)(Key(0), inputDim: 2, dtype: .float64)
    let params = try forward.updatingStatistics(initial.perturbed(Key(1)), x)
    let (y, logDet) = try forward(params, x)
    let (back, backLogDet) = try inverse(params, y)
    #expect(isClose(back, x, 1e-12))
    #expect(isClose(-backLogDet, logDet, 1e-12))
    #expect(!isClose(try inverse(initial, y).outputs, x, 1))
  }

  @Test func rowsAreCoupledInTrainingOnly() throws {
    let x = data(6)
    for mode in [BatchNorm.Mode.training, .evaluation] {
      let (params, logPDF, _) = try flow(mode)(Key(0), inputDim: 2, dtype: .float64)
      let (all, some) = (try logPDF(params, x)[0..<3], try logPDF(params, x[0..<3]))
      #expect(logPDF.traits.contains(.couplesRows) == (mode == .training))
      #expect(all.isIdentical(to: some) == (mode == .evaluation))
    }
  }

  @Test func noRowsAndOneRowAreFine() throws {
    let (params, forward, _) = try BatchNorm()(Key(0), inputDim: 2)
    #expect(try forward(params, .zeros([0, 2])).outputs.shape == [0, 2])
    #expect(try forward.updatingStatistics(params, .zeros([0, 2])).isIdentical(to: params))
    #expect(try forward(params, Tensor([[3, 4]])).outputs.doubles == [0, 0])
    #expect(throws: FlowError.self) { try forward.updatingStatistics(params, .zeros([2, 3])) }
  }

  /// The hook goes through every combinator: each layer sees what comes to it.
  @Test func statisticsMoveInsideFlows() throws {
    let x = data(64)
    let inner = Flow(BatchNorm(momentum: 0))
    let whole = Flow(
      Serial(ActNorm(), Serial(BatchNorm(momentum: 0), Inverted(ActNorm())), BatchNorm(momentum: 0)),
      prior: inner)
    let (initial, logPDF, _) = try whole(Key(0), inputDim: 2, dtype: .float64)
    let params = try initial.replacing("bijection/0/bias", by: .leaf(Tensor([1, 2], dtype: .float64)))
    let moved = try logPDF.updatingStatistics(params, x)
    let (mean, zeros) = (x.mean(axis: 0), Tensor.zeros([2], dtype: .float64))
    let chain = moved.child("bijection")
    #expect(
      isClose(chain.child("1").child("0")["runningMean"], mean - Tensor([1, 2], dtype: .float64), 1e-12))
    #expect(isClose(chain.child("2")["runningMean"], zeros, 1e-12))
    #expect(isClose(moved.child("prior").child("bijection")["runningVariance"], zeros + 1, 1e-3))
    #expect(moved.learned.isIdentical(to: params.learned))
  }
}
