import Arguments
import Files
import Flows

/// `flow score`: how likely rows are.
enum ScoreCommand: Subcommand {
  static let name = "score"
  static let purpose = "The mean log-likelihood of a file's rows, in nats and in the data's own units."
  static let operands = ["MODEL", "DATA"]

  static let options: [Arguments.Option] = [
    .init("out", "FILE", "write each row's log-likelihood (.csv, .tsv or .npy)")
  ]

  static let examples = [
    "flow score model.safetensors test.csv",
    "flow score model.safetensors test.csv --out scores.csv --json",
  ]

  static func run(_ arguments: Arguments) async throws -> Report {
    let model = try Model.read(arguments.operands[0])
    let rows = try Table.read(arguments.operands[1], for: model)
    let scores = try model.functions(model.dtype).logPDF(model.params, rows)
    let mean = scores.cast(to: .float64).mean().item
    if let out = arguments.value("out") {
      try Table.write(scores.reshaped(to: [rows.rows, 1]), columns: ["log_likelihood"], to: out)
    }
    return Report(
      text: "mean log-likelihood \(mean) nats over \(rows.rows) rows",
      json: ["mean_log_likelihood": .number(mean), "count": .integer(rows.rows)])
  }
}
