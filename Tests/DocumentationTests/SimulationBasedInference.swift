import Flows

/// The code of the article SimulationBasedInference, block by block to the letter.
// swift-format-ignore
func simulationBasedInference(simulations: Int, epochs: Int?, pairs: Int) throws -> (
  draws: [Tensor], scores: Tensor, rHat: Double, deviation: Double, pValue: Double
) {
  // block 1
  // Two numbers under a box, seen with noise that grows with the first.
  let simulator = { (key: Key, theta: Tensor) -> Tensor in
    let width = 0.1 + 0.2 * abs(theta.sliced(axis: 1, 0..<1))
    return theta + width * key.normal(theta.shape)
  }
  let observed = Tensor([[0.6, -0.3]])

  let posterior = try infer(
    simulator: simulator, prior: .uniform(from: [-1, -1], to: [1, 1]), observed: observed,
    simulations: simulations, key: Key(0), epochs: epochs)
  let draws = try posterior.sample(Key(1), count: 1_000)
  let scores = try posterior.logDensity(draws)
  // end
  // block 2
  let sequential = try infer(
    simulator: simulator, prior: .uniform(from: [-1, -1], to: [1, 1]), observed: observed,
    by: .posterior(.neuralSpline(layers: 3, hidden: [32, 32]), later: .truncated()),
    simulations: simulations / 2, rounds: 2, key: Key(2), epochs: epochs)
  let (ratioDraws, chains) = try infer(
    simulator: simulator, prior: .uniform(from: [-1, -1], to: [1, 1]), observed: observed, by: .ratio(),
    simulations: simulations, key: Key(3), epochs: epochs
  ).sampleByChains(Key(4), count: 500)
  print(chains.diagnostics.largestRHat, chains.diagnostics.smallestSampleSize)
  // end
  // block 3
  let likelihood = try infer(
    simulator: simulator, prior: .uniform(from: [-1, -1], to: [1, 1]), observed: observed,
    by: .likelihood(), simulations: simulations, key: Key(11), epochs: epochs)
  let trials = Tensor([[0.6, -0.3], [0.5, -0.2], [0.8, -0.4]])
  let ofTrials = try likelihood.sample(Key(12), count: 500, givenTrials: trials)  // [500, 2]
  let ofEach = try posterior.sample(Key(13), count: 500, givenEach: trials)  // [3, 500, 2]
  // end
  // block 4
  let ofSets = try infer(
    simulator: { key, theta in theta.expanded(axis: 1) + key.normal([theta.rows, 20, 1]) },
    prior: .normal(mean: [0], deviation: [2]), observed: Key(5).normal([1, 20, 1]),
    by: .posterior(Flow(Coupling(MLP(hidden: [32]), Affine()))), simulations: simulations,
    embedding: Summary(DeepSet(), outputDim: [4]), key: Key(6), epochs: epochs)
  let locations = try ofSets.sample(Key(7), count: 500)
  // end
  // block 5
  try likelihood.write(to: "posterior.safetensors")
  let again = try InferredPosterior.read(
    "posterior.safetensors", prior: .uniform(from: [-1, -1], to: [1, 1]), by: .likelihood())
  // end
  // block 6
  let calibration = try PosteriorCalibration(
    of: posterior, simulator: simulator, pairs: pairs, key: Key(8))
  try calibration.coveragePicture.write(to: "coverage.svg")
  let local = try LocalTwoSampleTest(
    of: posterior, simulator: simulator, pairs: pairs, trials: 10, steps: 200, key: Key(9))
  print(calibration.deviations, local.pValue)
  // end
  return (
    [
      draws, try sequential.sample(Key(10), count: 500), ratioDraws, locations, ofTrials, ofEach[0],
      try again.sample(Key(12), count: 500, givenTrials: trials),
    ], scores,
    chains.diagnostics.largestRHat, calibration.deviations.coverage, local.pValue
  )
}
