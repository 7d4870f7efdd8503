import Flows

/// The code of the article NotebookOfScripts, block by block to the letter.
// swift-format-ignore
func notebookOfScripts() throws -> (fitted: Fitted, kept: Fitted, html: String) {
  // block 1
  var page = Page("Parabola", reload: 2)
  let key = Key(0)
  let x = key.folded(in: 0).normal([500])
  let data = stack([x, square(x) + 0.2 * key.folded(in: 1).normal([500])], axis: 1)

  let preset = Flow.neuralSpline(layers: 2, hidden: [32])
  let flow = Flow(Serial(Standardize(of: data), preset.bijection), prior: preset.prior)
  let fitted = try fit(
    flow, to: data, key: key.folded(in: 2), epochs: 5,
    onEpoch: { state in
      page.note("epoch \(state.latest.index + 1): \(state.latest.validationLoss ?? .nan)")
      try page.write(to: "page.html")
      return .proceed
    })
  // end
  // block 2
  page.heading("Losses and draws")
  page.show(fitted.learningCurve)
  let draws = try fitted.sample(Key(1), fitted.params, count: 500)
  page.show(
    CornerPlot("Parabola", series: [.init("data", data), .init("draws", draws)], names: ["x", "y"]))
  try page.write(to: "page.html")
  // end
  // block 3
  let checkpoint = Checkpoint("fit.safetensors")
  let kept = try fit(flow, to: data, key: key.folded(in: 2), epochs: 5, checkpoint: checkpoint)
  // end
  return (fitted, kept, page.html)
}
