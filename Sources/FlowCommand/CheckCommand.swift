import Arguments
import Flows

/// `flow check`: a trained model's log-determinants against Jacobians.
enum CheckCommand: Subcommand {
  static let name = "check"
  static let purpose =
    "Hold a trained model's log-determinants against its Jacobian, which dual numbers compute."
  static let operands = ["MODEL"]

  static let options: [Arguments.Option] = [
    .init("rows", "N", default: "8", "how many rows to check at, drawn from the model"),
    .init("seed", "N", default: "0", "what they are drawn from"),
    .init("data", "FILE", "check at this file's first rows instead"),
    .init(
      "given", "A=X,...", "for a model fitted with --context, without --data: what rows are conditioned on"),
    .init(
      "tolerance", "X", default: "1e-9", "the largest error allowed, relative where the truth is above 1"),
    .init("progress", "KIND", default: "auto", "bar, lines, none, or auto: a bar on a terminal"),
  ]

  static let examples = [
    "flow check model.safetensors", "flow check model.safetensors --data test.csv --json",
  ]

  static func run(_ arguments: Arguments) async throws -> Report {
    let count = try arguments.integer("rows", in: 1...10_000)
    let seed = try arguments.integer("seed", in: Int.min...Int.max)
    let tolerance = try arguments.number("tolerance", in: 0...1)
    let progress = try FitCommand.progress(arguments)
    let model = try Model.read(arguments.operands[0])
    let rows: Tensor
    let context: Tensor?
    if let path = arguments.value("data") {
      let data = try Table.read(path, for: model)
      let first = 0..<min(count, data.rows.rows)
      (rows, context) = (data.rows[first], data.context?[first])
    } else {
      let given = try model.context(arguments)
      rows = try model.functions(model.dtype).sample(Key(seed), model.params, count: count, given: given)
      context = given.map { $0.broadcast(to: [count, $0.shape[1]]) }
    }
    let (_, forward, inverse) = try model.flow.bijection(
      Key(0), inputDim: Shape([model.width]), contextDim: Model.contextDim(model.given), dtype: .float64)
    let params = model.params.child("bijection").cast(to: .float64)
    var meter = ProgressMeter(progress, total: rows.rows)
    defer { meter.finish() }
    var (worst, passes, lines) = (0.0, true, [String]())
    for row in 0..<rows.rows {
      let report = try LogDetCheck(
        params, forward: forward, inverse: inverse, inputs: rows[row..<row + 1].cast(to: .float64),
        given: context?[row..<row + 1].cast(to: .float64),
        tolerance: tolerance
      ).run(progress: .silent)
      worst = max(worst, report.largestError)
      if !report.passes {
        passes = false
        lines.append("row \(row): \(report)")
      }
      meter.report(row + 1, "\(row + 1) of \(rows.rows) rows, largest error \(worst)")
    }
    lines.append(
      "\(passes ? "passes" : "FAILS"): largest error \(worst) at \(rows.rows) rows, allowed \(tolerance)")
    return Report(
      text: lines.joined(separator: "\n"),
      json: [
        "passes": .bool(passes), "largest_error": .number(worst), "rows": .integer(rows.rows),
        "tolerance": .number(tolerance),
      ], code: passes ? 0 : 1)
  }
}
