import Bijections
import Distributions
import Inference
import Networks
import Randomness
import Tensors
import Testing
import Training

/// Trials that are independent given the parameters, and several observations at once.
@Suite struct TrialsTests {
  private static let flow = Flow.maf(layers: 1, hidden: [16])
  private static let optimizer = MovingAverage(Adam(learningRate: 0.02), decay: 0.95)
  private static let chains = EnsembleSlice(
    chains: 16, sweeps: 40, mostSweeps: 400, largestRHat: 1.1, smallestSampleSize: 100)
  /// Five trials with the means 1 and −0.5.
  private static let trials = Tensor([[1.3, -0.9], [0.8, -0.3], [1.1, -0.6], [0.6, 0.1], [1.2, -0.8]])

  private static func posterior(_ method: InferenceMethod, simulations: Int = 900) throws -> InferredPosterior
  {
    try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), observed: trials[0..<1], by: method,
      simulations: simulations, key: Key(1), epochs: simulations > 500 ? 25 : 2, optimizer: optimizer,
      progress: .silent)
  }

  /// n trials of N(θ, ¼) under N(0, 1): the posterior is N(4 n x̄ / (4 n + 1), 1 / (4 n + 1)).
  @Test(arguments: [
    (InferenceMethod.likelihood(flow), 0.2), (.ratio(MLP(hidden: [24, 24]), atoms: 8), 0.5),
    (.binaryRatio(MLP(hidden: [24, 24])), 0.5),
  ]) func trialsGiveAConjugatePosterior(method: InferenceMethod, tolerance: Double) throws {
    let posterior = try Self.posterior(method)
    let draws = try posterior.sample(Key(2), count: 500, givenTrials: Self.trials, chains: Self.chains)
    let deviation = (1 / 21.0).squareRoot()
    for (found, truth) in zip(draws.mean(axis: 0).doubles, [20 / 21.0, -10 / 21.0]) {
      #expect(abs(found - truth) < 0.12)
    }
    for found in draws.standardDeviation(axis: 0).doubles {
      #expect(abs(found / deviation - 1) < tolerance)
    }
  }

  /// The log-density given trials is log p(θ) + Σ log p(xᵢ | θ): the prior counts once.
  @Test(arguments: [InferenceMethod.likelihood(flow), .ratio(MLP(hidden: [8]))])
  func trialsAddUp(method: InferenceMethod) throws {
    let posterior = try Self.posterior(method, simulations: 100)
    let theta = Tensor([[0.8, -0.4], [0.1, 0.3], [-2, 1]])
    let together = try posterior.logDensity(theta, givenTrials: Self.trials).doubles
    let prior = try posterior.prior.logDensity(theta).doubles
    var sums = prior
    for row in 0..<5 {
      let one = try posterior.logDensity(theta, given: Self.trials[row..<row + 1]).doubles
      for i in sums.indices { sums[i] += one[i] - prior[i] }
    }
    for (a, b) in zip(together, sums) { #expect(abs(a - b) < 1e-4 * (1 + abs(b))) }
    // One trial is one row, to the bit.
    let one = Self.trials[1..<2]
    #expect(
      try posterior.logDensity(theta, givenTrials: one).doubles
        == posterior.logDensity(theta, given: one).doubles)
  }

  /// Trials outside a box's support have no density, and many trials take several passes.
  @Test func manyTrialsInABox() throws {
    let prior = try SimulationPrior.uniform(from: [-2, -2], to: [2, 2])
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: prior, observed: Self.trials[0..<1],
      by: .likelihood(Self.flow), simulations: 100, key: Key(1), epochs: 2, progress: .silent)
    let theta = concatenate(try prior.sample(Key(3), count: 399), Tensor([[3, 0]]), axis: 0)
    let many = ConjugateModel.simulate(Key(4), .zeros([330, 2]))
    let all = try posterior.logDensity(theta, givenTrials: many).doubles
    #expect(all[399] == -.infinity && all[..<399].allSatisfy(\.isFinite))
    let halves = try [many[0..<165], many[165..<330]].map {
      try posterior.logDensity(theta, givenTrials: $0).doubles
    }
    let constant = -2 * Tensor(4, dtype: .float64).doubles.map { log(Tensor($0, dtype: .float64)).item }[0]
    for i in 0..<399 { #expect(abs(all[i] - (halves[0][i] + halves[1][i] - constant)) < 2e-2) }
  }

  /// Rounds with trials propose from the posterior of all of them.
  @Test func roundsFollowAllTrials() throws {
    let posterior = try infer(
      simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), trials: Self.trials,
      by: .likelihood(Self.flow), simulations: 300, rounds: 2, key: Key(5), epochs: 15,
      optimizer: Self.optimizer, progress: .silent)
    #expect(posterior.observed.doubles == Self.trials.cast(to: .float32).doubles)
    let theta = Tensor([[0.8, -0.4], [0.1, 0.3]])
    #expect(
      try posterior.logDensity(theta).doubles
        == posterior.logDensity(theta, givenTrials: Self.trials).doubles)
    let draws = try posterior.sample(Key(2), count: 400, chains: Self.chains)
    for (found, truth) in zip(draws.mean(axis: 0).doubles, [20 / 21.0, -10 / 21.0]) {
      #expect(abs(found - truth) < 0.12)
    }
  }

  /// A row of several observations has the bits that it has alone.
  @Test(arguments: [
    InferenceMethod.posterior(flow), .posterior(.neuralSpline(layers: 2, hidden: [8])), .likelihood(flow),
    .ratio(MLP(hidden: [8])),
  ]) func eachRowHasTheBitsOfItsOwn(method: InferenceMethod) throws {
    let posterior = try Self.posterior(method, simulations: 100)
    let together = try posterior.sample(Key(7), count: 30, givenEach: Self.trials[0..<2], chains: Self.chains)
    #expect(together.shape == [2, 30, 2])
    for row in 0..<2 {
      let alone = try posterior.sample(
        Key(7).folded(in: row), count: 30, given: Self.trials[row..<row + 1], chains: Self.chains)
      #expect(together[row].doubles == alone.doubles)
    }
  }

  /// The same with a learned embedding of sets.
  @Test func eachSetHasTheBitsOfItsOwn() throws {
    let posterior = try infer(
      simulator: { key, theta in theta.expanded(axis: 1) + key.normal([theta.rows, 10, 1]) },
      prior: .normal(mean: [0], deviation: [1]), observed: .full([1, 10, 1], 1.1),
      by: .posterior(Flow(Coupling(MLP(hidden: [16]), Affine()))), simulations: 100,
      embedding: Summary(DeepSet(hidden: [8], width: 8, pooledHidden: []), outputDim: [2]), key: Key(8),
      epochs: 2, progress: .silent)
    let sets = Key(9).normal([3, 10, 1])
    let together = try posterior.sample(Key(7), count: 40, givenEach: sets)
    for row in 0..<3 {
      let alone = try posterior.sample(Key(7).folded(in: row), count: 40, given: sets[row..<row + 1])
      #expect(together[row].doubles == alone.doubles)
    }
  }

  @Test func wrongTrialsAreErrors() throws {
    let posterior = try Self.posterior(.posterior(Self.flow), simulations: 100)
    func message(_ body: () throws -> Tensor) -> String {
      let error = #expect(throws: FlowError.self) { _ = try body() }
      return error.map { "\($0)" } ?? ""
    }
    let several = message { try posterior.sample(Key(0), count: 3, givenTrials: Self.trials) }
    #expect(several.contains("embedding such as DeepSet") && several.hasSuffix("got 5"))
    #expect(
      message { try posterior.sample(Key(0), count: 3, given: Self.trials) }
        == "InferredPosterior: expected data one row of shape [1, 2], got [5, 2]")
    #expect(
      message { try posterior.sample(Key(0), count: 3, givenEach: .zeros([4, 3])) }
        == "InferredPosterior: expected data rows of shape [2], got [4, 3]")
    #expect(
      message { try posterior.sample(Key(0), count: 3, givenEach: Tensor([[1, 2], [.nan, 0]])) }
        == "InferredPosterior: expected finite data, got NaN or infinity in row 1")
    #expect(throws: FlowError.self) {
      try infer(
        simulator: ConjugateModel.simulate, prior: ConjugateModel.prior(), trials: Self.trials,
        by: .posterior(Self.flow), key: Key(0), progress: .silent)
    }
  }
}
