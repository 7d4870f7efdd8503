import Flows

/// The code of the article FromPython, block by block to the letter.
// swift-format-ignore
func fromPython(folder: String) throws -> Int {
  // block 1
  let (params, logPDF, sample) = try Flow.neuralSpline(layers: 2)(Key(0), inputDim: 5)
  let model = try ExportedModel("spline", logPDF, sample, params)
  try model.write(to: folder)
  // end
  // block 2
  let program = try StableHLOProgram("score", of: [.init([256, 5], .float32)]) { inputs in
    [try gradient(at: inputs[0]) { x in try logPDF(params, x).sum() }]
  }
  print(program.text.count)
  // end
  return program.text.count
}
