import Bijections
import Distributions
import Integration
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

@testable import Training

/// Labelled pairs without training, and regressions on them.
@Suite struct PairTests {
  private let rows = Key(2).normal([60, 2])
  private let small = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)

  @Test func bitsDoNotDependOnThreads() throws {
    let score = TrainingFreeScore(of: rows, kappa: 0.97)
    func pairs(_ threads: Int) throws -> LatentPairs {
      try Parallelism.$threads.withValue(threads) {
        try score.pairs(Key(1), count: 700, steps: 2, subset: 20, batchSize: 600)
      }
    }
    let one = try pairs(1)
    for threads in [2, 8] {
      let other = try pairs(threads)
      #expect(one.rows.isIdentical(to: other.rows) && one.latents.isIdentical(to: other.latents))
    }
    let fewer = try score.pairs(Key(1), count: 650, steps: 2, subset: 20, batchSize: 600)
    #expect(fewer.rows.isIdentical(to: one.rows[0..<650]))
  }

  /// Without a subset pairs are those of the flow. Batches with subsets see different rows.
  @Test func pairsAreTheFlows() throws {
    let score = TrainingFreeScore(of: rows, kappa: 0.97)
    let pairs = try score.pairs(Key(1), count: 50, steps: 3, batchSize: 20)
    let (params, _, inverse) = try ContinuousFlow(score, solver: .steps(3))(Key(0), inputDim: 2)
    #expect(isClose(try inverse(params, pairs.latents).outputs, pairs.rows, 1e-5))
    #expect(pairs.latents.shape == [50, 2] && pairs.rows.dtype == .float32)
    #expect(!isClose(pairs.latents[0..<20], pairs.latents[20..<40], 0.1))
    let own = try score.pairs(Key(1), count: 20, steps: 3, subset: 1, batchSize: 10)
    // With a subset of one row all draws of a batch lie around it.
    let spread = [0..<10, 10..<20].map {
      abs(own.rows[$0] - own.rows[$0].mean(axis: 0)).max(axis: 0).max(axis: 0).item
    }
    #expect(spread.allSatisfy { $0 < 1 } && !isClose(own.rows[0], own.rows[10], 0.3))
    let all = try score.pairs(Key(1), count: 20, steps: 3, subset: 60, batchSize: 20)
    #expect(all.rows.isIdentical(to: pairs.rows[0..<20]))
    #expect(try score.pairs(Key(1), count: 0).rows.shape == [0, 2])
  }

  @Test func wrongPairs() throws {
    #expect(throws: FlowError.self) { try LatentPairs(latents: .zeros([3, 2]), rows: .zeros([4, 2])) }
    #expect(throws: FlowError.self) { try TrainingFreeScore(of: .zeros([0, 2])).pairs(Key(0), count: 3) }
    #expect(throws: FlowError.self) { try TrainingFreeScore(of: .zeros([])).pairs(Key(0), count: 3) }
    #expect(throws: FlowError.self) {
      try TrainingFreeScore(of: Tensor([[.nan, 1]])).pairs(Key(0), count: 3)
    }
    let pairs = try LatentPairs(latents: rows, rows: rows)
    let mixture = Flow(ActNorm(), prior: GaussianMixture(components: 2))
    #expect(throws: FlowError.self) { try fit(mixture, toPairs: pairs, key: Key(0), epochs: 1) }
    _ = try fit(mixture, toPairs: pairs, likelihood: 0.1, key: Key(0), epochs: 1)
    let none = try LatentPairs(latents: .zeros([0, 2]), rows: .zeros([0, 2]))
    #expect(throws: FlowError.self) { try fit(Flow(ActNorm()), toPairs: none, key: Key(0), epochs: 1) }
  }

  /// The loss of a regression is ½ the squared distance plus the share of likelihood. Its gradient is that of
  /// its values.
  @Test(arguments: [PairSide.latents, .rows], [0, 0.7]) func loss(_ side: PairSide, _ likelihood: Double)
    throws
  {
    let flow = Flow(Serial(AffineCoupling(small), Reverse(), AffineCoupling(small)))
    let regression = FlowRegression(flow: flow, side: side, likelihood: likelihood)
    let (x, z) = (wave([7, 2], phase: 1), wave([7, 2], phase: 3))
    let (params, logPDF, sample) = try regression(Key(1), inputDim: 2, contextDim: 2, dtype: .float64)
    let own = try flow(Key(1), inputDim: 2, dtype: .float64)
    let maps = try flow.bijection(Key(1).folded(in: 0), inputDim: 2, dtype: .float64)
    let bijection = params.child("bijection")
    let moved =
      side == .latents
      ? try maps.forward(bijection, x).outputs - z : try maps.inverse(bijection, z).outputs - x
    let expected = 0.5 * square(moved).sumPerRow() - likelihood * (try own.logPDF(own.params, x))
    let step = TrainingStep(logPDF: logPDF, sample: sample, rows: x, context: z, key: Key(0))
    let (value, gradient) = try MaximumLikelihood().valueAndGradient(at: params, step)
    #expect(isClose(value, expected.mean(), 1e-12))
    var i = 0.0
    let direction = params.learned.map { leaf in
      i += 1
      return wave(leaf.shape, phase: i)
    }
    func at(_ h: Double) throws -> Double {
      let moved = try params.zipLearned(with: direction) { $0 + h * $1 }
      return try MaximumLikelihood().valueAndGradient(at: moved, step).value.item
    }
    let slope = (try at(1e-5) - at(-1e-5)) / 2e-5
    #expect(abs(gradient.dot(direction).item - slope) < 1e-7 * max(1, abs(slope)))
  }

  /// An affine flow finds the affine map of its pairs exactly, and goes on from there.
  @Test func affineFlow() throws {
    let z = Key(3).normal([200, 2])
    let pairs = try LatentPairs(latents: z, rows: Tensor([0.5, 2]) * z + Tensor([1, -1]))
    let fitted = try fit(
      Flow(ActNorm()), toPairs: pairs, key: Key(0), epochs: 40, batchSize: 50,
      optimizer: Adam(learningRate: 0.05))
    let leaf = fitted.params.child("bijection")
    #expect(isClose(exp(-leaf["logScale"]), Tensor([0.5, 2]), 0.02))
    #expect(isClose(leaf["bias"], Tensor([1, -1]), 0.02))
    #expect(fitted.bestRecord.validationLoss! < 0.001)
    let draws = try fitted.sample(Key(1), fitted.params, count: 500)
    #expect(isClose(draws.mean(axis: 0), Tensor([1, -1]), 0.3))
    #expect(try fitted.logPDF(fitted.params, draws).isFinite)
    let further = try fit(
      Flow(ActNorm()), to: pairs.rows, start: fitted.params, key: Key(0), epochs: 1)
    #expect(further.params.paths == fitted.params.paths)
  }

  /// A plain network learns a map, and draws through it.
  @Test func generator() throws {
    let z = Key(3).normal([300, 2])
    let pairs = try LatentPairs(latents: z, rows: Tensor([0.5, 2]) * z + Tensor([1, -1]))
    let generator = try fit(
      MLP(hidden: [], lastWeight: .glorotUniform), toPairs: pairs, key: Key(0), epochs: 30, batchSize: 50,
      optimizer: Adam(learningRate: 0.05))
    #expect(isClose(try generator.rows(of: z), pairs.rows, 0.05))
    let draws = try generator(Key(4), count: 100)
    #expect(draws.isIdentical(to: try generator.rows(of: Key(4).normal([100, 2]))))
    #expect(generator.history.last!.validationLoss! < 0.001)
    #expect(throws: FlowError.self) { try generator.rows(of: .zeros([3, 5])) }
  }
}
