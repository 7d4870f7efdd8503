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

  @Test func aLossThatNeverFallsHasNoRate() throws {
    do {
      _ = try fit(
        Flow(Serial(), prior: Normal()), to: Tensor.full([60, 2], 1), key: Key(1), epochs: 1,
        learningRate: .searched(from: 1e-3, to: 1, steps: 10), progress: .silent)
      Issue.record("a rate was found")
    } catch let error as FlowError {
      #expect("\(error)".contains("learning rates from 0.001 to 1.0"))
    }
  }

  @Test func targetsTakeBothToo() throws {
    let target = try Target("normal", inputDim: 2) { x in
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
