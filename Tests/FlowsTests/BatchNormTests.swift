import Flows
import TestSupport
import Testing

/// Far from mean 0 and variance 1.
private func data(_ rows: Int, _ dtype: DType = .float64) -> Tensor {
  let z = Key(9).normal([rows, 2]).cast(to: dtype)
  return z * Tensor([3, 0.1], dtype: dtype) + Tensor([10, -5], dtype: dtype)
}

private func flow(_ mode: BatchNorm.Mode) -> Flow {
  Flow(Serial(ActNorm(), BatchNorm(mode: mode), AffineCoupling(MLP(hidden: [8])), BatchNorm(mode: mode)))
}

@Suite struct BatchNormTests {
  /// jax-flows' formulas, with statistics that move.
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

  @Test func fitMovesTheStatistics() throws {
    let x = data(300, .float32)
    let fitted = try fit(
      flow(.training), to: x, evaluation: flow(.evaluation), key: Key(2), epochs: 30, batchSize: 150,
      patience: nil,
      progress: .silent)
    // ActNorm standardizes the first batch; behind it come other means, behind the coupling too.
    let (second, fourth) = (
      fitted.params.child("bijection").child(1), fitted.params.child("bijection").child(3)
    )
    for statistics in [second, fourth] {
      #expect(statistics["runningMean"].doubles.allSatisfy { $0 != 0 })
      #expect(statistics["runningVariance"].doubles.allSatisfy { $0 != 1 && $0 > 0 })
    }
    // What comes back is the evaluation mode: row by row, a density, and close to the truth (a normal:
    // entropy by hand).
    #expect(!fitted.logPDF.traits.contains(.couplesRows))
    let density = try fitted.logPDF(fitted.params, x)
    #expect(density[0..<1].isIdentical(to: try fitted.logPDF(fitted.params, x[0..<1])))
    let entropy = 1 + 1.8378770664093454 + log(Tensor(3 * 0.1, dtype: .float64)).item
    #expect(abs(density.mean().item + entropy) < 0.1)
  }

  /// Each step's batch moves them once, as the rule says.
  @Test func fitMovesTheStatisticsOnceAStep() throws {
    let x = data(20)
    let fitted = try fit(
      Flow(BatchNorm(momentum: 0.5)), to: x, key: Key(3), epochs: 1, batchSize: 10, validationFraction: 0,
      patience: nil, progress: .silent)
    let training = Key(3).folded(in: 1).permutation(20)
    let order = Key(3).folded(in: 2).folded(in: 0).permutation(20).map { training[$0] }
    func mean(_ rows: ArraySlice<Int>) -> Tensor { x.rows(Array(rows)).mean(axis: 0) }
    let start = mean(training[...])  // the data-dependent start
    let expected = 0.5 * (0.5 * start + 0.5 * mean(order[..<10])) + 0.5 * mean(order[10...])
    #expect(isClose(fitted.params.child("bijection")["runningMean"], expected, 1e-12))
    #expect(!isClose(start, expected, 1e-5))
  }

  /// 150 rows are two shards of 128 and 22. Whole, the first loss of `fit` is the training density of the
  /// whole batch.
  @Test func fitDoesNotShardCoupledRows() throws {
    let x = data(150)
    var losses: [Double] = []
    let fitted = try fit(
      flow(.training), to: x, key: Key(2), epochs: 1, batchSize: 150, validationFraction: 0, patience: nil,
      progress: .silent
    ) {
      losses.append($0.latest.trainingLoss)
      return .proceed
    }
    let order = Key(2).folded(in: 1).permutation(150)
    let (initial, logPDF, _) = try flow(.training)(
      Key(2).folded(in: 0), inputDim: 2, initInputs: x.rows(order), dtype: .float64)
    #expect(abs(losses[0] + (try logPDF(initial, x)).mean().item) < 1e-9)
    let shards = [0..<128, 128..<150]
    let sharded = try shards.reduce(0) { $0 - (try logPDF(initial, x.rows(order)[$1]).sum().item) } / 150
    #expect(abs(losses[0] - sharded) > 1e-6)
    #expect(fitted.history.count == 1)
  }

  /// A twin of another architecture is an error before training.
  @Test func aForeignTwinThrows() {
    #expect(throws: FlowError.self) {
      try fit(
        flow(.training), to: data(20), evaluation: Flow(ActNorm()), key: Key(0), epochs: 1, progress: .silent)
    }
  }
}

@Suite struct CoupledRowsCheckTests {
  private func wrong(
    _ logDet: @escaping @Sendable (_ params: Params, _ variance: Tensor) -> Tensor
  ) -> Lambda {
    Lambda { (key, site) throws(FlowError) in
      let (params, forward, inverse) = try BatchNorm(momentum: 0).initialize(key, at: site)
      let broken = Mapping(
        forward.boundary, to: forward.codomain, traits: .couplesRows, statistics: forward.statistics
      ) {
        (params, x, context) throws(FlowError) in
        let variance = square(x - x.mean(axis: 0)).mean(axis: 0) + 1e-5
        return (
          try forward.body(params, x, context).outputs, logDet(params, variance).broadcast(to: [x.rows])
        )
      }
      return (params, broken, inverse)
    }
  }

  @Test func rightClaimsPass() throws {
    let right = wrong { params, variance in (params["logScale"] - 0.5 * log(variance)).sum() }
    try LogDetCheck(of: right, inputDim: 3, key: Key(1)).verify()
  }

  /// A check that cannot fail is a defect.
  @Test func wrongClaimsAreRejected() throws {
    let missing = wrong { params, _ in params["logScale"].sum() }
    let sign = wrong { params, variance in (params["logScale"] + 0.5 * log(variance)).sum() }
    let full = wrong { params, variance in (params["logScale"] - log(variance)).sum() }
    for broken in [missing, sign, full] {
      #expect(throws: FlowError.self) { try LogDetCheck(of: broken, inputDim: 3, key: Key(1)).verify() }
      #expect(throws: FlowError.self) { try Laws(of: broken, inputDim: 3, key: Key(1)).check(.logDet) }
    }
  }

  /// Undeclared coupling is still caught, by both laws on rows.
  @Test func undeclaredCouplingIsRejected() throws {
    let silent = Lambda { (key, site) throws(FlowError) in
      let (params, forward, inverse) = try BatchNorm().initialize(key, at: site)
      return (params, Mapping(forward.boundary, to: forward.codomain, body: forward.body), inverse)
    }
    let laws = Laws(of: silent, inputDim: 3, key: Key(1))
    for law in [Laws.Law.rowBits, .rowIndependence] {
      #expect(throws: FlowError.self) { try laws.check(law) }
    }
  }
}
