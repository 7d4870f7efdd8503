import Flows

/// The code of the article ChoosingAFlow, block by block to the letter.
// swift-format-ignore
func choosingAFlow(prices: Tensor) throws -> Tensor {
  // block 1
  // Positive, skewed columns: logarithms, standardized, then a spline flow, in the data's own units.
  let preset = Flow.neuralSpline(layers: 4, hidden: [64, 64])
  let flow = Flow(
    Serial(Log(), Standardize(of: log(prices)), preset.bijection), prior: preset.prior)
  let fitted = try fit(flow, to: prices, key: Key(0), epochs: 10)
  // end
  // block 2
  let (_, forward, _) = try flow.bijection(Key(0), inputDim: prices.shape.sample)
  let latents = try forward(fitted.params.child("bijection"), prices).outputs
  let u = 0.5 * (1 + erf(latents / 2.0.squareRoot()))
  try CalibrationPlot("Latents", pit: u, names: ["z1", "z2"]).write(to: "calibration.svg")
  // end
  return u
}
