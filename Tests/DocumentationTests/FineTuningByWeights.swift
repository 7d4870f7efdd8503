import Flows

/// The code of the article FineTuningByWeights, block by block to the letter.
// swift-format-ignore
func fineTuningByWeights(measured: Tensor) throws -> (FineTuned, DataComparison, ImportanceWeights) {
  // block 1
  // Each event makes three draws, and ends in their product.
  let flow = Flow(Serial(Log(), ElementwiseAffine()))
  let (params, logPDF, sample) = try flow(Key(0), inputDim: 1)

  func simulate(_ key: Key, _ params: Params) throws -> Histories {
    let draws = try sample(key, params, count: 6_000)
    let events = log(draws).reshaped(to: [2_000, 3])
    return try Histories(
      draws, segments: (0..<6_000).map { $0 / 3 }, observables: exp(events.sum(axis: 1)))
  }
  // end

  // block 2
  let tuned = try fineTune(
    flow, params, histories: simulate(Key(1), params),
    to: [.histogram(measured, bins: Bins(20, over: 0...10))], key: Key(2), steps: 30,
    optimizer: Adam(learningRate: 0.03),              // few parameters take a high rate
    simulate: simulate)
  let after = tuned.report.after[0]                 // of a simulation that no parameter has seen
  print(after.reducedChiSquared ?? 0, tuned.report.rounds.count, tuned.report.klFromStart)
  for warning in tuned.report.warnings { print(warning) }
  // end

  // block 3
  let data: [ObservedData] = [
    .histogram(measured, bins: Bins(20, over: 0...10), by: .crossEntropy),
    .samples(measured, distance: .wasserstein, factor: 0.1),
    ObservedData("mean") { observables in
      let values = observables.sliced(axis: 1, 0..<1).reshaped(to: [observables.rows])
      return { shares in square((shares * values).sum() - 2.5) }
    },
  ]
  // end

  // block 4
  let histories = try simulate(Key(3), params)
  let weights = try histories.importanceWeights(logPDF, tuned.params, from: params)
  print(weights.effectiveSampleSize, weights.paretoK)
  // end
  _ = data
  return (tuned, after, weights)
}
