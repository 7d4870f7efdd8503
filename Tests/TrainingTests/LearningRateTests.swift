import Bijections
import Distributions
import Plots
import Randomness
import Tensors
import Testing
import Training

@Suite struct LearningRateTests {
  private let data = 3 * Key(0).normal([200, 2]) + 5
  private let flow = Flow(Serial(InvertibleLinear(), ElementwiseAffine()), prior: Normal())

  private func fitted(
    _ rate: LearningRate = .automatic, _ averaging: Averaging = .automatic, optimizer: (any Optimizer)? = nil,
    key: Key = Key(1)
  ) throws -> Fitted {
    try fit(
      flow, to: data, key: key, epochs: 5, batchSize: 50, learningRate: rate, averaging: averaging,
      optimizer: optimizer, progress: .silent)
  }

  /// A rate and a decay are those of the optimizer that is written out.
  @Test func numbersAreTheOptimizers() throws {
    // 180 rows for training in batches of 50.
    let steps = Chain(
      ClipByGlobalNorm(10),
      AdamW(learningRate: .cosine(0.01, steps: 20), weightDecay: 0.3, decayed: .matrices))
    let plain = try fitted(optimizer: steps)
    #expect(try fitted(0.01, nil).params.isIdentical(to: plain.params))
    let mean = try fitted(optimizer: MovingAverage(steps, decay: 0.9))
    #expect(try fitted(0.01, 0.9).params.isIdentical(to: mean.params))
    #expect(try fitted(.automatic, 0.9, optimizer: steps).params.isIdentical(to: mean.params))
    #expect(!mean.params.isIdentical(to: plain.params))
    #expect(try fitted(0.01).params.isIdentical(to: fitted(0.01, 0.99).params))
  }

  @Test func aSearchedRateTrains() throws {
    let found = try fitted(.searched(), nil)
    #expect(found.params.isIdentical(to: try fitted(.searched(), nil).params), "same key, same bits")
    let (first, second) = (
      found.history.last!.trainingLoss, try fitted(.automatic, nil).history.last!.trainingLoss
    )
    // The rows lie five units away: 0.002 is too slow for twenty steps.
    #expect(first < second - 1, "\(first), \(second)")
  }

  /// A fit that starts at its optimum takes the default rate and says so.
  @Test(arguments: [20, 1_000]) func aLossThatNeverFallsTakesTheDefault(_ rows: Int) throws {
    let rows = Key(3).normal([rows, 2])
    func fitted(_ rate: LearningRate) throws -> Fitted {
      try fit(Flow(ActNorm()), to: rows, key: Key(1), epochs: 2, learningRate: rate, progress: .silent)
    }
    let (found, plain) = (try fitted(.searched()), try fitted(.automatic))
    #expect(found.learningRate == 0.002 && found.rateSearch?.losses.isEmpty == false)
    #expect(found.rateSearch?.suggestion == nil, "\(found.rateSearch?.suggestion ?? 0)")
    #expect(plain.learningRate == 0.002 && plain.rateSearch == nil)
    #expect(found.params.isIdentical(to: plain.params))
  }

  /// The preset for tables starts as the mixture that fits best.
  @Test func thePresetForTablesFinds() throws {
    let found = try fit(
      Flow.splineMixture(layers: 2, hidden: [16], bins: 4), to: Key(5).normal([600, 2]), key: Key(1),
      epochs: 1,
      learningRate: .searched(steps: 60), progress: .silent)
    #expect((1e-4...1e-1).contains(try #require(found.learningRate)), "\(found.learningRate ?? 0)")
  }

  @Test func aFitTellsItsRate() throws {
    let found = try fitted(.searched())
    #expect(found.learningRate == found.rateSearch?.suggestion && found.learningRate ?? 0 > 0.002)
    #expect(try fitted(0.5).learningRate == 0.5)
    #expect(try fitted(optimizer: Adam(learningRate: 0.1)).learningRate == nil)
  }

  /// Losses that only scatter have no rate, a fall far above their noise has one.
  @Test(arguments: 0..<8) func noiseIsNoFall(_ seed: Int) throws {
    let noise = Key(seed).normal([100]).doubles
    func search(falling: Double) -> LearningRateSearch {
      var (mean, share, losses) = (0.0, 0.0, [Double]())
      for (i, noise) in noise.enumerated() {
        (mean, share) = (
          0.9 * mean + 0.1 * (5 + noise - falling * min(max(0, Double(i - 50) / 20), 1)), 0.9 * share + 0.1
        )
        losses.append(mean / share)
      }
      return LearningRateSearch(rates: (0..<100).map { Double($0 + 1) }, losses: losses)
    }
    #expect(search(falling: 0).suggestion == nil)
    let rate = try #require(search(falling: 8).suggestion)
    #expect((50...80).contains(rate), "\(rate)")
  }

  /// Whole numbers are rates and decays too.
  @Test func wholeNumbers() throws {
    #expect(LearningRate(1) == 1 && Averaging(decay: 0) == 0)
    #expect(try fitted(1).learningRate == 1)
    #expect(try fitted(0.01, 0).params.isIdentical(to: fitted(0.01, 0.0).params))
  }

  @Test func targetsTakeBothToo() throws {
    let target = Target("normal", inputDim: 2) { x in
      let squares: Tensor = square(x - 4).sum(axis: 1)
      return -0.5 * squares
    }
    func fitted(_ rate: LearningRate, _ averaging: Averaging, _ optimizer: (any Optimizer)? = nil) throws
      -> Fitted
    {
      try fit(
        flow, to: target, key: Key(2), iterations: 30, learningRate: rate, averaging: averaging,
        optimizer: optimizer, progress: .silent)
    }
    let adam = Chain(ClipByGlobalNorm(10), Adam(learningRate: 0.05))
    #expect(
      try fitted(0.05, 0.9).params.isIdentical(
        to: fitted(.automatic, nil, MovingAverage(adam, decay: 0.9)).params))
    let (found, plain) = (try fitted(.searched(), nil), try fitted(.automatic, nil))
    #expect(found.history.last!.trainingLoss < plain.history.last!.trainingLoss - 1)
  }

  @Test func theSearchIsAPicture() throws {
    let search = try findLearningRate(flow, to: data, key: Key(1), from: 1e-4, to: 1, steps: 20)
    let series = try #require(search.picture.series.first)
    #expect(series.y == search.losses && abs(series.x[0] + 4) < 1e-9 && abs(series.x.last!) < 1e-9)
    #expect(search.picture.svg.contains("log10 of the rate"))
  }
}
