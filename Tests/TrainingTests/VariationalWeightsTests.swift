import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

@testable import Training

@Suite struct VariationalWeightsTests {
  private let flow = Flow(Serial(ElementwiseAffine(), AffineCoupling(MLP(hidden: [4], activation: .tanh))))

  /// A mean-field tree of the flow with various means and scales.
  private func tree(_ dtype: DType = .float64) throws -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let (params, logPDF, sample) = try MeanField(flow, deviation: 0.3)(Key(1), inputDim: 2, dtype: dtype)
    let leaves = params.learnedLeaves.enumerated().map { i, leaf in
      leaf + 0.3 * Key(110).folded(in: i).normal(leaf.shape, dtype: dtype)
    }
    return (params.replacingLearned(with: leaves), logPDF, sample)
  }

  private func step(_ logPDF: LogPDF, _ sample: Sampler, rows: Int?) -> TrainingStep {
    var step = TrainingStep(
      logPDF: logPDF, sample: sample, rows: Key(111).normal([30, 2], dtype: .float64), key: Key(112))
    step.trainingRows = rows
    return step
  }

  // MARK: - The bound

  @Test(arguments: [1, 3]) func gradientsAreThoseOfTheBound(draws: Int) throws {
    let (params, logPDF, sample) = try tree()
    let objective = VariationalWeights(prior: 0.7, draws: draws)
    let step = step(logPDF, sample, rows: 50)
    let (_, gradient) = try objective.valueAndGradient(at: params, step)
    try params.checkLearned(against: gradient, who: "test")
    let flat = params.flattened()
    let direction = Key(113).normal(flat.shape, dtype: .float64)
    func value(_ h: Double) throws -> Double {
      try objective.valueAndGradient(at: params.unflattened(flat + h * direction), step).value.item
    }
    let slope = (try value(1e-5) - value(-1e-5)) / 2e-5
    #expect(abs(slope - (gradient.flattened() * direction).sum().item) < 1e-7)
  }

  /// The divergence per weight log(σ / s) + (s² + μ²) / (2σ²) − ½, over the number of training rows.
  @Test func theDivergenceIsPerTrainingRow() throws {
    let (params, logPDF, sample) = try tree()
    func bound(_ rows: Int?, _ own: Int? = nil) throws -> LossAndGradient {
      try VariationalWeights(prior: 0.7, rows: own).valueAndGradient(
        at: params, step(logPDF, sample, rows: rows))
    }
    let (mean, scale) = (params.child("mean").flattened(), params.child("logScale").flattened())
    let terms = log(Tensor(0.7, dtype: .float64)) - scale + (exp(2 * scale) + square(mean)) / (2 * 0.49) - 0.5
    let (one, two, four) = (try bound(100), try bound(200), try bound(400))
    #expect(abs(one.value.item - two.value.item - terms.sum().item / 200) < 1e-12)
    #expect(abs(two.value.item - four.value.item - terms.sum().item / 400) < 1e-12)
    // The divergence's gradient halves with twice the rows.
    let (first, second) = (
      one.gradient.flattened() - two.gradient.flattened(),
      two.gradient.flattened() - four.gradient.flattened()
    )
    #expect(isClose(first, 2 * second, 1e-12))
    #expect(try bound(100, 200).value.item == two.value.item && bound(nil, 200).value.item == two.value.item)
    let error = #expect(throws: FlowError.self) { try bound(nil) }
    #expect(error?.description.contains("a number of training rows") == true)
  }

  /// `fit` counts the rows that it trains on, and no row of weight 0.
  @Test func fitsCountTheirTrainingRows() throws {
    struct Counting: RowObjective {
      let log: FitTests.Log<Int?>
      func losses(_ step: TrainingStep) throws -> RowLosses {
        log.entries.append(step.trainingRows)
        return try MaximumLikelihood().losses(step)
      }
    }
    let (log, data) = (FitTests.Log<Int?>(), Key(114).normal([50, 2]))
    let weights = Tensor((0..<50).map { $0 < 10 ? 0 : 1 + Double($0 % 2) })
    _ = try fit(
      flow, to: data, by: Counting(log: log), weights: weights, key: Key(0), epochs: 1, batchSize: 16,
      validationFraction: 0.25, progress: .silent)
    #expect(log.entries.count > 1 && log.entries.allSatisfy { $0 == 30 })
    #expect(VariationalWeights().hasPrior && !MaximumLikelihood().hasPrior)
  }

  // MARK: - Known posteriors

  private func fitted(
    _ base: some Distribution, _ data: Tensor, prior: Double, deviation: Double, steps: Int = 700
  )
    throws -> NormalPosterior
  {
    let bayesian = MeanField(base, deviation: deviation)
    let fitted = try fit(
      bayesian, to: data, by: .variationalWeights(prior: prior, draws: 2), key: Key(2), epochs: steps,
      batchSize: data.rows,
      optimizer: MovingAverage(Adam(learningRate: .cosine(0.05, steps: steps)), decay: 0.99),
      validationFraction: 0, progress: .silent)
    return try bayesian.posterior(of: fitted.params)
  }

  @Test func aLocationHasItsPosterior() throws {
    let data = 0.7 + Key(115).normal([50, 1], dtype: .float64)
    let posterior = try fitted(PosteriorTests.location, data, prior: 0.5, deviation: 0.05)
    let mode = data.sum().item / 54
    #expect(abs(posterior.mean["location"].item - mode) < 0.02)
    #expect(abs(posterior.variance["location"].item * 54 - 1) < 0.1)
  }

  /// Variances 1 and correlation 0.8: the best independent normal has the variance 1 − 0.8².
  @Test func correlatedPosteriorsAreUnderestimated() throws {
    let (flow, data) = PosteriorTests.correlated
    let posterior = try fitted(flow, data, prior: 10, deviation: 0.3, steps: 1_000)
    let variance = posterior.variance.child("bijection")["theta"]
    #expect(isClose(variance, Tensor([0.36, 0.36], dtype: .float64), 0.05))
  }

  // MARK: - Draws

  /// One draw of the weights is one flow: both directions agree, and so do their log-determinants.
  @Test func aDrawIsOneFlow() throws {
    let bayesian = MeanField(flow, deviation: 0.5)
    let params = try tree().params
    let samples = try bayesian.posterior(of: params).samples(4, key: Key(116))
    let (_, forward, inverse) = try flow.bijection(Key(0), inputDim: 2, dtype: .float64)
    let x = Key(117).normal([20, 2], dtype: .float64)
    for member in samples.members {
      let own = member.child("bijection")
      let (z, logDet) = try forward(own, x)
      let (again, inverseLogDet) = try inverse(own, z)
      #expect(isClose(again, x, 1e-10) && isClose(logDet + inverseLogDet, 0.0 * logDet, 1e-10))
    }
    #expect(!samples.members[0].isIdentical(to: samples.members[1]))
    // The objective's loss is that of one tree, too.
    let (_, logPDF, sample) = try tree()
    let step = step(logPDF, sample, rows: 50)
    let own = try MeanFieldTree(params, who: "test")
    let drawn = own.drawn(own.noise(step.key.folded(in: 1).folded(in: 0)))
    let loss = -(try logPDF(drawn, step.rows!)).mean().item
    let (_, base, _) = try flow(Key(0), inputDim: 2, dtype: .float64)
    #expect(abs(-(try base(drawn.child("mean"), step.rows!)).mean().item - loss) < 1e-12)
    let plain = try VariationalWeights(rows: 1_000_000_000_000).valueAndGradient(at: params, step)
    #expect(abs(plain.value.item - loss) < 1e-8)
  }

  @Test func theMeansAreTheModel() throws {
    let (params, logPDF, sample) = try tree()
    let (_, base, draw) = try flow(Key(0), inputDim: 2, dtype: .float64)
    let x = Key(118).normal([9, 2], dtype: .float64)
    let means = params.child("mean")
    #expect(try logPDF(params, x).isIdentical(to: base(means, x)))
    #expect(try sample(Key(3), params, count: 9).isIdentical(to: draw(Key(3), means, count: 9)))
    // The same key starts both alike.
    let (start, _, _) = try MeanField(flow)(Key(5), inputDim: 2)
    #expect(try start.child("mean").isIdentical(to: flow(Key(5), inputDim: 2).params))
    #expect(start.child("logScale").leaves.allSatisfy { isClose($0, .full($0.shape, -4.5), 1e-6) })
  }

  // MARK: - In fits

  private func run(_ epochs: Int, _ checkpoint: Checkpoint? = nil, continuing state: FitState? = nil) throws
    -> Fitted
  {
    try fit(
      MeanField(flow), to: Key(119).normal([200, 2]), by: .variationalWeights(), continuing: state,
      key: Key(4), epochs: epochs, batchSize: 150, optimizer: Adam(learningRate: 0.01),
      checkpoint: checkpoint,
      progress: .silent)
  }

  @Test func fitsHaveTheSameBits() throws {
    let whole = try run(4)
    #expect(whole.history.last!.validationLoss! < whole.history[0].trainingLoss)
    for threads in [1, 2, 8] {
      let other = try Parallelism.$threads.withValue(threads) { try run(4) }
      #expect(other.params.isIdentical(to: whole.params) && other.history == whole.history)
    }
    let half = try run(2)
    #expect(try run(4, continuing: half.state).params.isIdentical(to: whole.params))
  }

  @Test func checkpointsHoldBothTrees() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "flows-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    _ = try run(2, Checkpoint(file))
    #expect(try run(4, Checkpoint(file)).params.isIdentical(to: run(4).params))
    let error = #expect(throws: FlowError.self) {
      try fit(
        MeanField(flow), to: Key(119).normal([200, 2]), by: .variationalWeights(prior: 2), key: Key(4),
        epochs: 4, batchSize: 150, optimizer: Adam(learningRate: 0.01), checkpoint: Checkpoint(file),
        progress: .silent)
    }
    #expect(error?.description.contains("VariationalWeights prior 1.0 in the file, 2.0 now") == true)
  }

  @Test func contextsAndWeightsOfRowsAreTaken() throws {
    let context = Key(120).normal([100, 1])
    let data = context + 0.3 * Key(121).normal([100, 1])
    let bayesian = MeanField(ConditionalNormal(MLP(hidden: [])))
    let fitted = try fit(
      bayesian, to: data, given: context, by: .variationalWeights(),
      weights: Tensor((0..<100).map { Double($0 % 3) }), key: Key(4), epochs: 60, batchSize: 40,
      optimizer: Adam(learningRate: 0.02), progress: .silent)
    #expect(fitted.history.last!.trainingLoss < fitted.history[0].trainingLoss - 0.3)
    let samples = try bayesian.posterior(of: fitted.state.params).samples(20, key: Key(7))
    let (_, logPDF, sample) = try ConditionalNormal(MLP(hidden: []))(Key(0), inputDim: 1, contextDim: 1)
    #expect(try logPDF(samples, data, given: context).isFinite)
    let parts = try samples.variance(of: sample, key: Key(8), draws: 500, given: Tensor([[0.5]]))
    #expect(parts.aleatoric.item > parts.epistemic.item && parts.epistemic.item > 0)
  }

  /// A frozen mean is not moved by draws, and its scale has no gradient.
  @Test func frozenWeightsStay() throws {
    let fitted = try fit(
      MeanField(flow), to: Key(119).normal([60, 2]), by: .variationalWeights(),
      freezing: ["mean/bijection/0"],
      key: Key(4), epochs: 3, optimizer: Adam(learningRate: 0.01), progress: .silent)
    let samples = try MeanField(flow).posterior(of: fitted.state.params).samples(2, key: Key(7))
    let start = try flow(Key(4).folded(in: 0), inputDim: 2).params
    #expect(
      samples.members[1][path: "bijection/0"]!.leaves[0].isIdentical(
        to: start[path: "bijection/0"]!.leaves[0]))
    let scales = fitted.params.child("logScale")[path: "bijection/0"]!
    #expect(scales.leaves.allSatisfy { isClose($0, .full($0.shape, -4.5), 1e-6) })
    let moved = fitted.params.child("logScale")[path: "bijection/1"]!
    #expect(!moved.leaves.allSatisfy { isClose($0, .full($0.shape, -4.5), 1e-6) })
    // Densities take members whose leaves are marked otherwise.
    #expect(try flow(Key(0), inputDim: 2).logPDF(samples, Key(119).normal([5, 2])).isFinite)
  }

  @Test func wrongFitsAreRefused() throws {
    let data = Key(119).normal([60, 2])
    let error = #expect(throws: FlowError.self) {
      try fit(flow, to: data, by: .variationalWeights(), key: Key(0), progress: .silent)
    }
    #expect(error?.description.contains("the tree of MeanField") == true)
    let target = Target("normal", inputDim: 2) { x in -0.5 * square(x).sumPerRow() }
    #expect(throws: FlowError.self) {
      try fit(
        MeanField(flow), to: target, by: .variationalWeights(), key: Key(0), iterations: 1, progress: .silent)
    }
    let params = try flow(Key(0), inputDim: 2).params
    #expect(throws: FlowError.self) { try MeanField(flow).posterior(of: params) }
    let short: Params = ["mean": params, "logScale": .empty]
    #expect(throws: FlowError.self) { try MeanField(flow).posterior(of: short) }
    let infinite: Params = ["mean": params, "logScale": params.learned.filled(with: 1e9)]
    #expect(throws: FlowError.self) { try MeanField(flow).posterior(of: infinite).samples(2, key: Key(0)) }
  }
}
