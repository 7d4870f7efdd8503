import Flows

/// The code of the article GettingStarted, block by block to the letter.
// swift-format-ignore
func gettingStarted() throws -> (logDensity: Tensor, draws: Tensor, again: Tensor) {
  // block 1
  // 2,000 points on a noisy parabola.
  let key = Key(0)
  let x = key.folded(in: 0).normal([2_000])
  let y = square(x) + 0.2 * key.folded(in: 1).normal([2_000])
  let data = stack([x, y], axis: 1)
  // end
  // block 2
  let preset = Flow.neuralSpline(layers: 3, hidden: [32, 32])
  let flow = Flow(Serial(Standardize(of: data), preset.bijection), prior: preset.prior)
  // end
  // block 3
  let fitted = try fit(
    flow, to: data, key: key.folded(in: 2), epochs: 30, optimizer: Adam(learningRate: 3e-3))
  print(fitted.history.last?.validationLoss ?? .nan)   // nats per row
  try fitted.learningCurve.write(to: "losses.svg")
  // end
  // block 4
  let logDensity = try fitted.logPDF(fitted.params, data)                // [2000], nats
  let draws = try fitted.sample(Key(1), fitted.params, count: 500)       // [500, 2]
  // end
  // block 5
  try CornerPlot("Parabola", series: [.init("data", data), .init("draws", draws)], names: ["x", "y"])
    .write(to: "parabola.svg")
  // end
  // block 6
  try SafeTensors(fitted.params, metadata: ["seed": "0"]).write(to: "parabola.safetensors")

  let (initial, logPDF, _) = try flow(Key(99), inputDim: 2)
  let loaded = try SafeTensors.read("parabola.safetensors").tree(like: initial)
  let again = try logPDF(loaded, data)                                   // the bits of logDensity
  // end
  // block 7
  try LogDetCheck(of: preset.bijection, inputDim: 2, key: Key(2)).verify()
  // end
  return (logDensity, draws, again)
}
