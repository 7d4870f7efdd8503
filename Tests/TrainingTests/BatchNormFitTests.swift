import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training

private func data(_ rows: Int, _ dtype: DType = .float64) -> Tensor {
  let z = Key(9).normal([rows, 2]).cast(to: dtype)
  return z * Tensor([3, 0.1], dtype: dtype) + Tensor([10, -5], dtype: dtype)
}

private func flow(_ mode: BatchNorm.Mode) -> Flow {
  Flow(Serial(ActNorm(), BatchNorm(mode: mode), AffineCoupling(MLP(hidden: [8])), BatchNorm(mode: mode)))
}

/// `fit` moves the running statistics of batch normalisation.
@Suite struct BatchNormFitTests {
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

  /// The papers' MAF MoG: it trains in one mode and comes back in the other, close to two clusters' entropy.
  @Test func mafMixture() throws {
    let side = select(where: Key(4).bernoulli([400, 1]) .== 1, Tensor.ones([400, 1]), -1)
    let x = concatenate([4 * side, side], axis: 1) + 0.5 * Key(5).normal([400, 2])
    func flow(_ mode: BatchNorm.Mode) -> Flow {
      .mafMixture(layers: 2, hidden: [12], components: 2, batchNorm: BatchNorm(mode: mode))
    }
    let fitted = try fit(
      flow(.training), to: x, evaluation: flow(.evaluation), key: Key(2), epochs: 25, batchSize: 100,
      optimizer: Adam(learningRate: .cosine(0.02, steps: 100)), patience: nil, progress: .silent)
    let loss = -(try fitted.logPDF(fitted.params, x)).mean().item
    // log 2 for the side, and 1 + log 2π + 2 log ½ for the noise; the best normal density has 2.9.
    #expect(abs(loss - (0.6931 + 2.8379 - 1.3863)) < 0.25, "\(loss)")
    #expect(!fitted.logPDF.traits.contains(.couplesRows))
  }

  /// Each step's batch moves them once, as the rule says.
  @Test func fitMovesTheStatisticsOnceAStep() throws {
    let x = data(20)
    let fitted = try fit(
      Flow(BatchNorm(momentum: 0.5)), to: x, evaluation: Flow(BatchNorm(mode: .evaluation)), key: Key(3),
      epochs: 1, batchSize: 10, validationFraction: 0,
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
      flow(.training), to: x, evaluation: flow(.evaluation), key: Key(2), epochs: 1, batchSize: 150,
      validationFraction: 0, patience: nil, progress: .silent
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

  /// In training mode a row has another density alone than among others, so no fit gives that function back.
  @Test func withoutATwinThereIsNoFit() throws {
    let error = #expect(throws: FlowError.self) {
      try fit(
        Flow.maf(layers: 1, batchNorm: BatchNorm()), to: data(40, .float32), key: Key(0), progress: .silent)
    }
    #expect(
      error?.description.contains("expected evaluation: the same distribution with BatchNorm(mode: .eval")
        == true)
  }

  /// A twin of another architecture is an error before training.
  @Test func aForeignTwinThrows() {
    #expect(throws: FlowError.self) {
      try fit(
        flow(.training), to: data(20), evaluation: Flow(ActNorm()), key: Key(0), epochs: 1, progress: .silent)
    }
  }
}
