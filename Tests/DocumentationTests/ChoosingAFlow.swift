import Flows

/// The code of the article ChoosingAFlow, block by block to the letter.
// swift-format-ignore
func choosingAFlow(prices: Tensor, settings: FitSettings) throws -> Tensor {
  // block 1
  let model = try Flow.auto(fittedTo: prices, settings: settings, key: Key(0))
  for trial in model.trials { print(trial.name, trial.validationLoss, trial.weight) }
  let logDensities = try model.logPDF(model.params, prices)
  // end
  // block 2
  // Positive, skewed columns: logarithms, standardized, then a flow, in the data's own units.
  let preset = Flow.splineMixture(layers: 2, hidden: [64, 64])
  let flow = Flow(
    Serial(Log(), Standardize(of: log(prices)), preset.bijection), prior: preset.prior)
  let fitted = try fit(flow, to: prices, key: Key(0), epochs: 10)
  // end
  // block 3
  let draws = try fitted.sample(Key(1), fitted.params, count: 500)
  let shares = prices.expanded(axis: 1) .> draws   // [rows, draws, columns]
  try CalibrationPlot("Columns", pit: shares.mean(axis: 1), names: ["a", "b"])
    .write(to: "calibration.svg")
  // end
  return logDensities
}
