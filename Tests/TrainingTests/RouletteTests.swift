import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Training

private let network = SpectralMLP(hidden: [6], coefficient: 0.8, lastWeight: .glorotUniform)
/// A linear contraction of norm 0.8: many terms of its series count.
private let linear = SpectralMLP(hidden: [], coefficient: 0.8, lastWeight: .glorotUniform)
private let flow = Flow(Serial(ResidualFlow(network), ActNorm(), ResidualFlow(linear)))

/// The flow with weights that are not small, and a step on a batch in which each of few rows is repeated.
private func step(
  _ times: Int, contextDim: Shape? = nil
) throws -> (params: Params, logPDF: LogPDF, rows: Tensor, step: TrainingStep) {
  let (initial, logPDF, sample) = try flow(Key(1), inputDim: 3, contextDim: contextDim, dtype: .float64)
  var params = initial.mapLearned { $0 + 0.5 * wave($0.shape) }
  for _ in 0..<60 { params = try logPDF.updatingStatistics(params, .zeros([0, 3], dtype: .float64)) }
  let few = wave([2, 3])
  let rows = few.rows((0..<2 * times).map { $0 / times })
  return (params, logPDF, few, TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(5)))
}

/// The Russian roulette of residual flows against their exact log-dets.
@Suite struct RouletteTests {
  /// Means over many draws, within 4 standard errors of the exact log-densities of each row.
  @Test(arguments: [(2, 0.5), (0, 0.5), (4, 0.3)]) func theMeanIsTheLogDensity(
    _ setting: (terms: Int, probability: Double)
  ) throws {
    let times = 2000
    let (params, logPDF, few, step) = try step(times)
    let objective = RouletteLikelihood(
      exactTerms: setting.terms, probability: setting.probability, exactDimension: 0)
    let losses = try objective.losses(step)(params, 0..<2 * times).reshaped(to: [2, times])
    let exact = try logPDF(params, few)
    for row in 0..<2 {
      let (mean, error) = meanAndError(losses[row])
      #expect(abs(mean + exact.doubles[row]) < 4 * error, "\(mean), \(-exact.doubles[row]), \(error)")
      #expect(error < 0.05 && error > 1e-4)
    }
  }

  /// The mean gradient is the exact one's, leaf by leaf; so is that by the first layer, through the second.
  @Test func theMeanGradientIsExact() throws {
    let times = 3000
    let (params, logPDF, few, step) = try step(times)
    let objective = RouletteLikelihood(exactDimension: 0)
    let losses = try objective.losses(step)
    let estimated = try valueAndGradient(at: params) { try losses($0, 0..<2 * times).mean() }.gradient
    let exact = try valueAndGradient(at: params) { -(try logPDF.body($0, few, nil)).mean() }.gradient
    for (a, b) in zip(estimated.leaves, exact.leaves) {
      #expect(isClose(a, b, 0.03), "\(a)\n\(b)")
      #expect(!a.isIdentical(to: b) || a.doubles.allSatisfy { $0 == 0 })
    }
  }

  /// A row's loss depends on the key and its place alone. Shards and batches give the same bits.
  @Test func rowsHaveTheirOwnDraws() throws {
    let (params, _, _, step) = try step(20)
    let losses = try RouletteLikelihood(exactDimension: 2).losses(step)
    let whole = try losses(params, 0..<40)
    let some = try losses(params, 7..<12)
    #expect(some.isIdentical(to: whole[7..<12]))
    #expect(Set(whole[0..<20].doubles).count > 15)
  }

  /// Up to `exactDimension` the losses are those of maximum likelihood, and held-out losses always are.
  @Test func smallLayersAndHeldOutLossesAreExact() throws {
    let (params, _, _, step) = try step(3)
    let exact = try MaximumLikelihood().losses(step)(params, 0..<6)
    let small = try RouletteLikelihood(exactDimension: 3).losses(step)(params, 0..<6)
    #expect(isClose(small, exact, 1e-12))
    let heldOut = try RouletteLikelihood(exactDimension: 0).value(step)(params)
    #expect(isClose(heldOut, exact.mean(), 1e-12))
  }

  /// The standard error that is reported is the spread of the means.
  @Test func theStandardErrorIsHonest() throws {
    let (params, logPDF, few, _) = try step(1)
    let roulette = RouletteLikelihood(exactDimension: 0)
    let exact = try logPDF(params, few)
    var squares = 0.0
    for i in 0..<30 {
      let (mean, error) = try roulette.estimate(logPDF, params, few, key: Key(50 + i), draws: 20)
      squares += square((mean - exact) / error).mean().item / 30
    }
    #expect(squares > 0.5 && squares < 2, "mean squared error over squared standard error: \(squares)")
  }

  /// In a mixture the logarithm of an estimate would be biased: its flows are exact.
  @Test func mixturesAreExact() throws {
    let mixture = Mixture([flow, Flow(ResidualFlow(network))])
    let (params, logPDF, sample) = try mixture(Key(1), inputDim: 3, dtype: .float64)
    let rows = wave([4, 3])
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: rows, key: Key(5))
    let losses = try RouletteLikelihood(exactDimension: 0).losses(step)(params, 0..<4)
    let exact = try logPDF(params, rows)
    #expect(isClose(-losses, exact, 1e-12))
  }

  private func meanAndError(_ values: Tensor) -> (mean: Double, error: Double) {
    let mean = values.mean().item
    let variance = square(values - mean).mean().item
    return (mean, (variance / Double(values.count)).squareRoot())
  }
}

/// Training of residual flows.
@Suite struct ResidualFitTests {
  private let rows: Tensor = {
    let z = Key(4).normal([400, 2])
    let (a, b) = (z.sliced(axis: 1, 0..<1), z.sliced(axis: 1, 1..<2))
    return concatenate([a, 0.5 * square(a) - 0.5 + 0.4 * b], axis: 1)
  }()

  /// The vectors follow the weights at each step, so the certified bounds stay below 1.
  @Test(arguments: [true, false]) func boundsStayBelowOneInAFit(_ usesRoulette: Bool) throws {
    let layer = ResidualFlow(SpectralMLP(hidden: [12], coefficient: 0.95))
    let flow = Flow(Serial(ActNorm(), layer, layer))
    let optimizer = Chain(ClipByGlobalNorm(10), Adam(learningRate: 0.02))
    let fitted =
      usesRoulette
      ? try fit(
        flow, to: rows, by: .rouletteLikelihood(exactDimension: 0), key: Key(2), epochs: 8, batchSize: 40,
        optimizer: optimizer, progress: .silent)
      : try fit(
        flow, to: rows, key: Key(2), epochs: 8, batchSize: 40, optimizer: optimizer, progress: .silent)
    let losses = fitted.history.map(\.trainingLoss)
    #expect(losses.last! < losses[0] - 0.1, "\(losses)")
    for i in 1...2 {
      let bound = layer.lipschitzBound(fitted.params.child("bijection").child(i))
      #expect(bound < 1 && bound > 0.5, "\(bound)")
    }
    let draws = try fitted.sample(Key(6), fitted.params, count: 100)
    #expect(draws.isFinite)
  }

  /// The vectors that come back belong to the averaged weights, not to the latest ones.
  @Test func vectorsFollowTheMeanOfWeights() throws {
    let flow = Flow(ResidualFlow(SpectralMLP(hidden: [8])))
    let optimizer = MovingAverage(Adam(learningRate: 0.02), decay: 0.9)
    let fitted = try fit(
      flow, to: rows, key: Key(2), epochs: 2, batchSize: 100, optimizer: optimizer, validationFraction: 0,
      progress: .silent)
    let state = fitted.state
    let mean = try optimizer.evaluationParams(state.optimizer, state.params)
    let updated = try fitted.logPDF.mapping.updatingStatistics(mean, rows[0..<0])
    #expect(fitted.params.isIdentical(to: updated) && !updated.isIdentical(to: mean))
  }

  /// A fit to a target has no rows; the vectors move all the same.
  @Test func vectorsFollowInAFitToATarget() throws {
    let layer = ResidualFlow(SpectralMLP(hidden: [8]))
    let target = Target("normal", inputDim: 2) { x in -0.5 * square(x - 3).sumPerRow() }
    let fitted = try fit(
      Flow(Inverted(Serial(layer, ActNorm()))), to: target, by: .reverseKL(draws: 32), key: Key(3),
      iterations: 60, optimizer: Adam(learningRate: 0.05), progress: .silent)
    #expect(layer.lipschitzBound(fitted.params.child("bijection").child(0)) < 0.9)
  }
}
