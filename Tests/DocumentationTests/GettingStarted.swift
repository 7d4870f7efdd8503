import Flows

/// What the loop by hand comes to: the error of its round trip, its gain in nats, and its draws.
struct GettingByHand {
  let close, gain: Double
  let points, scores: Tensor
}

/// The code of the article GettingStarted, block by block to the letter.
// swift-format-ignore
func gettingStarted() throws -> (
  logDensity: Tensor, draws: Tensor, again: Tensor, byHand: GettingByHand
) {
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
  // block 8
  // A bijection is a value. A key and an input dimension turn it into parameters and two pure functions.
  let bijection = Serial(AffineCoupling(MLP(hidden: [64, 64])), InvertibleLinear(), ActNorm())
  let (params, forward, inverse) = try bijection(Key(0), inputDim: 2)
  let (outputs, logDet) = try forward(params, data)              // [2000, 2], [2000]
  let (restored, inverseLogDet) = try inverse(params, outputs)   // ≈ data, ≈ -logDet

  let byHand = Flow(bijection, prior: Normal())
  let (start, density, sampler) = try byHand(Key(0), inputDim: 2)
  let optimizer = Chain(ClipByGlobalNorm(1), Adam(learningRate: 1e-3))
  var trained = start
  var state = optimizer.initialize(trained)
  for step in 0..<100 {
    let batch = data.rows(Key(7).folded(in: step).choice(256, of: data.rows))
    let (loss, gradient) = try valueAndGradient(at: trained, over: batch) { trained, rows in
      try -density(trained, rows)          // one loss per row; the rows are shared among the cores
    }
    (trained, state) = try optimizer.update(gradient, state, trained)
    if step % 10 == 0 { print(step, loss) }
  }
  let (points, scores) = try sampler.withLogPDF(Key(1), trained, count: 1_000)   // [1000, 2], [1000]
  // end
  let close = (abs(restored - data).doubles + abs(logDet + inverseLogDet).doubles).max() ?? .nan
  let gain = (try density(trained, data) - density(start, data)).mean().item
  return (logDensity, draws, again, GettingByHand(close: close, gain: gain, points: points, scores: scores))
}
