import Arguments
import Flows

/// `flow score`: computes the log-likelihood of rows.
enum ScoreCommand: Subcommand {
  static let name = "score"
  static let purpose = "The mean log-likelihood of a file's rows, in nats and in the data's own units."
  static let operands = ["MODEL", "DATA"]

  static let options: [Arguments.Option] = [
    .init("out", "FILE", "write each row's log-likelihood (.csv, .tsv or .npy)"),
    .init("picture", "FILE", "draw a calibration plot of the model on these rows (.svg)"),
  ]

  static let examples = [
    "flow score model.safetensors test.csv",
    "flow score model.safetensors test.csv --out scores.csv --json",
    "flow score model.safetensors held-out.csv --picture calibration.svg",
  ]

  static func run(_ arguments: Arguments) async throws -> Report {
    let out = try Output.path("out", Output.tables, in: arguments)
    let picture = try Output.path("picture", [".svg"], in: arguments)
    let model = try Model.read(arguments.operands[0])
    let (rows, context) = try Table.read(arguments.operands[1], for: model)
    let scores = try model.functions(model.dtype).logPDF(model.params, rows, given: context)
    let mean = scores.cast(to: .float64).mean().item
    if let out {
      try Table.write(scores.reshaped(to: [rows.rows, 1]), columns: ["log_likelihood"], to: out)
    }
    var text = "mean log-likelihood \(mean) nats over \(counted(rows.rows, "row"))"
    if let picture {
      try calibration(model, rows, context).write(to: picture)
      text += "\nwrote \(picture)"
    }
    return Report(text: text, json: ["mean_log_likelihood": .number(mean), "count": .integer(rows.rows)])
  }

  /// A plot of the first six latents' probabilities under the prior, which are uniform for a correct model.
  private static func calibration(
    _ model: Model, _ rows: Tensor, _ context: Tensor?
  ) throws -> CalibrationPlot {
    let (params, forward, _) = try model.bijection(model.dtype)
    let latents = try forward(params, rows, given: context).outputs
    let shown = latents.sliced(axis: 1, 0..<min(model.width, 6))
    let isNormal = model.flow.prior is Normal  // Presets have a normal or a logistic prior.
    let shares = isNormal ? 0.5 * (1 + erf(shown / 2.0.squareRoot())) : sigmoid(shown)
    return CalibrationPlot(
      "Calibration of \(rows.rows) rows", pit: shares, names: (1...shown.shape[1]).map { "latent \($0)" })
  }
}
