import Flows

/// The code of the article FilesAndTheCommand, block by block to the letter.
// swift-format-ignore
func filesAndTheCommand(path: String, model: String) throws -> (rows: Tensor, scores: Tensor) {
  // block 1
  let table = try CSV.read(path, columns: ["height", "weight"])
  try NPY.write(table.values, to: "rows.npy")                          // numpy.load
  try NPZ(["rows": table.values]).write(to: "rows.npz")                // numpy.load
  let rows = try NPY.read("rows.npy", dtype: .float64)
  // end
  // block 2
  let file = try SafeTensors.read(model)
  print(file.metadata["architecture"] ?? "", file.metadata["arguments"] ?? "")
  let preset = Flow.realNVP(layers: 2, hidden: [8])
  let place = Standardize(mean: .zeros([2]), deviation: .ones([2]))   // its numbers come from the file
  let flow = Flow(Serial(place, preset.bijection), prior: preset.prior)
  let (initial, logPDF, _) = try flow(Key(0), inputDim: 2)
  let params = try file.tree(like: initial)
  let scores = try logPDF(params, table.values)
  // end
  return (rows, scores)
}
