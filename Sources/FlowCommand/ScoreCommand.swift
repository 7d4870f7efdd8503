import Arguments
import FittedModels
import Flows

/// `flow score`: computes the log-likelihood of rows.
enum ScoreCommand: Subcommand {
  static let name = "score"
  static let purpose = "The mean log-likelihood of files' rows, in nats and in the data's own units."
  static let operands = ["MODEL", "DATA..."]

  private static let ownOptions: [Arguments.Option] = [
    .init("out", "FILE", "write each row's log-likelihood (.csv, .tsv or .npy)"),
    .init("picture", "FILE", "draw a calibration plot of the model on these rows (.svg)"),
    .init("draws", "N", default: "8", "draws of noise per row of a mixed table: more give a tighter bound"),
    .init("worst", "N", default: "3", "how many of the least likely rows to list"), .device,
  ]

  static let options = ownOptions + TableFile.options

  static let examples = [
    "flow score model.safetensors test.csv",
    "flow score model.safetensors test.csv --out scores.csv --json",
    "flow score model.safetensors held-out.csv --picture calibration.svg",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let out = try Output.path("out", Output.tables, in: arguments)
    let picture = try Output.path("picture", [".svg"], in: arguments)
    let worst = try arguments.integer("worst", in: 0...1_000_000)
    let draws = try arguments.integer("draws", in: 1...10_000)
    let device = try arguments.device()
    let content = try SafeTensors.read(arguments.operands[0])
    if let mixed = try MixedModel.read(content, from: arguments.operands[0]) {
      try arguments.requireNoDevice(for: "mixed columns")
      return try score(
        mixed, arguments, out: out, picture: picture, worst: worst, draws: draws, noting: notices)
    }
    let model = try Model.read(content, from: arguments.operands[0])
    if picture == nil, device == nil, arguments.operands.count == 2, arguments.value("array") == nil,
      let mapped = MappedTable(arguments.operands[1], model.dtype), mapped.suits(model)
    {
      let scores = try model.logDensities(of: mapped)
      return try report(scores, of: mapped.file, model, out: out, worst: worst, noting: notices)
    }
    let table = try Table.read(
      Array(arguments.operands.dropFirst()), for: model, arguments, noting: notices)
    let scores = try model.logDensities(of: table, on: device)
    var report = try report(scores, of: table.file, model, out: out, worst: worst, noting: notices)
    if let picture {
      let context = try model.given.flatMap { given in
        try table.context.map { try given.standardized($0.values, model.dtype) }
      }
      try calibration(model, table.rows(model.scales, model.dtype), context).write(to: picture)
      report.text += "\nwrote \(picture)"
    }
    return report
  }

  /// Writes the scores of a model of numbers where that is asked for, and summarizes them.
  private static func report(
    _ scores: Tensor, of file: TableFile, _ model: Model, out: String?, worst: Int, noting notices: Notices
  ) throws -> Report {
    if let out {
      try Table.write(
        scores.cast(to: model.dtype).reshaped(to: [scores.count, 1]), columns: ["log_likelihood"], to: out)
    }
    let summary = ScoreSummary(scores, worst: worst, of: file)
    if summary.impossible > 0 {
      notices.warn(
        "\(counted(summary.impossible, "row")) have density 0 under the model, log-likelihood -inf")
    }
    return Report(text: summary.text, json: summary.json)
  }

  /// The scores of rows of a mixed table.
  private static func score(
    _ mixed: MixedModel, _ arguments: Arguments, out: String?, picture: String?, worst: Int, draws: Int,
    noting notices: Notices
  ) throws -> Report {
    let (file, rows) = try mixed.rows(Array(arguments.operands.dropFirst()), arguments, noting: notices)
    let scores = try mixed.model.logLikelihood(of: rows, draws: draws)
    if let row = scores.doubles.firstIndex(where: \.isNaN) {
      throw Model.farAway(row, of: file)
    }
    if let out {
      try Table.write(scores.reshaped(to: [scores.count, 1]), columns: ["log_likelihood"], to: out)
    }
    let summary = ScoreSummary(scores, worst: worst, of: file, isBound: mixed.schema.isBound)
    guard case .object(let members) = summary.json else { return Report(text: "", json: .null) }
    var text = summary.text + "\n" + mixed.schema.meaningOfScores
    if let picture, case .texts(let table) = file {
      try calibration(mixed, table).write(to: picture)
      text += "\nwrote \(picture)"
    }
    return Report(
      text: text,
      json: .object(
        members + [
          .init("bound", .bool(mixed.schema.isBound)),
          .init("density_columns", .strings(mixed.schema.columnsWithDensity)),
        ]))
  }
}
