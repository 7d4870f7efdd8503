import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Testing
import Training

@testable import Inference

@Suite struct InferTests {
  private static let flow = Flow.maf(layers: 1, hidden: [16])
  private static let optimizer = MovingAverage(Adam(learningRate: 0.02), decay: 0.95)
  private static let chains = EnsembleSlice(
    chains: 16, sweeps: 40, mostSweeps: 400, largestRHat: 1.1, smallestSampleSize: 100)
  private static let observed = Tensor([[1.0, -0.5]])

  /// The posterior of a conjugate model is known. Each method finds it in one round or in two.
  @Test(arguments: [
    (InferenceMethod.posterior(flow), 1, 0.6), (.posterior(flow), 2, 0.6),
    (.posterior(flow, later: .atomic(atoms: 4)), 2, 0.8),
    (.likelihood(flow), 1, 0.6), (.ratio(MLP(hidden: [24, 24]), atoms: 5), 1, 1.6),
  ]) func everyMethodFindsAConjugatePosterior(
    method: InferenceMethod, rounds: Int, tolerance: Double
  ) throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), observed: Self.observed, by: method,
      simulations: 900 / rounds, rounds: rounds, key: Key(1), epochs: 20 / rounds, optimizer: Self.optimizer,
      progress: .silent)
    let draws = try posterior.sample(Key(2), count: 500, chains: Self.chains)
    let (mean, deviation) = (draws.mean(axis: 0).doubles, draws.standardDeviation(axis: 0).doubles)
    for (found, truth) in zip(mean, [0.8, -0.4]) { #expect(abs(found - truth) < 0.15) }
    for found in deviation { #expect(abs(found / ConjugateModel.deviation - 1) < 0.25) }
    #expect(posterior.rounds.map(\.simulations) == .init(repeating: 900 / rounds, count: rounds))
    // Differences of log-densities are those of the true posterior, roughly.
    let pair = try posterior.logDensity(Tensor([[0.8, -0.4], [0.8, 0.3]])).doubles
    #expect(abs(pair[0] - pair[1] - 0.5 * 0.49 / 0.2) < tolerance)
  }

  /// Pairs from elsewhere give the posterior too. Wrong ones are refused, and data that are not finite.
  @Test func storedPairsServe() throws {
    let theta = try ConjugateModel.prior().sample(Key(6), count: 900)
    let pairs = try SimulationSet(parameters: theta, data: ConjugateModel.simulate(Key(7), theta))
    let posterior = try infer(
      from: pairs, prior: ConjugateModel.prior(), observed: Self.observed, by: .posterior(Self.flow),
      key: Key(8), epochs: 20, optimizer: Self.optimizer, progress: .silent)
    let mean = try posterior.sample(Key(9), count: 500).mean(axis: 0).doubles
    #expect(abs(mean[0] - 0.8) < 0.15 && abs(mean[1] + 0.4) < 0.15)
    #expect(throws: FlowError.self) { try posterior.sample(Key(9), count: 5, given: Tensor([[.nan, 0.0]])) }
    let narrow = try SimulationSet(parameters: theta.sliced(axis: 1, 0..<1), data: pairs.data)
    #expect(throws: FlowError.self) {
      try infer(
        from: narrow, prior: ConjugateModel.prior(), observed: Self.observed, key: Key(8), progress: .silent)
    }
  }

  /// An amortised posterior follows other data, and truncated proposals lie near the posterior.
  @Test func oneRoundServesAllDataAndLaterRoundsDoNotWander() throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), observed: Self.observed,
      by: .posterior(Self.flow), simulations: 900, key: Key(3), epochs: 20, optimizer: Self.optimizer,
      progress: .silent)
    let other = try posterior.sample(Key(4), count: 500, given: Tensor([[-1.0, 1.0]])).mean(axis: 0).doubles
    #expect(abs(other[0] + 0.8) < 0.15 && abs(other[1] - 0.8) < 0.15)
    let record = Recorder()
    let second = try infer(
      simulator: { key, theta in
        record.rows.append(theta)
        return ConjugateModel.simulate(key, theta)
      }, prior: ConjugateModel.prior(), observed: Self.observed, by: .posterior(Self.flow),
      simulations: 300, rounds: 2, key: Key(5), epochs: 20, optimizer: Self.optimizer, progress: .silent)
    #expect(record.rows.count == 2 && second.rounds[0].priorShare == 1)
    #expect(second.rounds[1].priorShare < 0.95)
    // The prior's tail on the far side of the posterior is cut off.
    #expect(record.rows[1].min(axis: 0).doubles[0] > record.rows[0].min(axis: 0).doubles[0])
  }

  /// Truncated proposals by rejection, and by choice among draws of the posterior where rejection gives up:
  /// both are the prior in a disc of radius σ √(2 log 100) around the posterior's mean.
  @Test(arguments: [0, 10]) func truncatedProposalsAreThePriorInADisc(batches: Int) throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), observed: Self.observed,
      by: .posterior(Self.flow), simulations: 900, key: Key(10), epochs: 20, optimizer: Self.optimizer,
      progress: .silent)
    let (theta, share) = try posterior.truncatedPrior(Key(11), count: 400, outside: 0.01, batches: batches)
    let distance = sqrt(square(theta - Tensor([0.8, -0.4])).sum(axis: 1))
    #expect(theta.shape == [400, 2] && distance.max(axis: 0).item < 1.36 * 1.35)
    // The posterior's own draws have the mean distance 0.56, uniform ones in the disc 0.9.
    #expect(distance.mean().item > 0.7)
    #expect(batches == 0 ? share == 0 : abs(share - 0.48) < 0.12)
  }

  /// A posterior at the edge of a box: all draws are inside, and densities outside are 0.
  @Test(arguments: [InferenceMethod.posterior(flow), .likelihood(flow), .ratio(MLP(hidden: [8]))])
  func nothingLeaksOutOfTheSupport(method: InferenceMethod) throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: .uniform(from: [0, -1], to: [1, 1]),
      observed: Tensor([[1.2, -0.9]]), by: method, simulations: 200, key: Key(6), epochs: 3, progress: .silent
    )
    let draws = try posterior.sample(Key(7), count: 200, chains: Self.chains)
    let (low, high) = (draws.min(axis: 0).doubles, draws.max(axis: 0).doubles)
    #expect(low[0] > 0 && high[0] < 1 && low[1] > -1 && high[1] < 1)
    let densities = try posterior.logDensity(Tensor([[0.5, 0], [1.5, 0], [0.5, -1.1]])).doubles
    #expect(densities[0].isFinite && densities[1] == -.infinity && densities[2] == -.infinity)
  }

  /// Ten exchangeable observations of N(θ, 1) under θ ~ N(0, 1): the posterior is N(10 x̄ / 11, 1 / 11).
  @Test(arguments: [
    DeepSet(hidden: [8], width: 8, pooledHidden: []) as any Network, SetTransformer(width: 8, blocks: 0),
  ]) func embeddingsOfSetsFindTheMean(network: any Network) throws {
    let posterior = try infer(
      simulator: { key, theta in theta.expanded(axis: 1) + key.normal([theta.rows, 10, 1]) },
      prior: .normal(mean: [0], deviation: [1]), observed: .full([1, 10, 1], 1.1),
      by: .posterior(Flow(Coupling(MLP(hidden: [16]), Affine()))), simulations: 600,
      embedding: Summary(network, outputDim: [2]), key: Key(8), epochs: 20, optimizer: Self.optimizer,
      progress: .silent)
    let draws = try posterior.sample(Key(9), count: 500)
    #expect(abs(draws.mean().item - 1) < 0.2)
    #expect(abs(draws.standardDeviation(axis: 0).item * 11.0.squareRoot() - 1) < 0.35)
  }

  private final class Recorder { var rows: [Tensor] = [] }
}
