import Arguments
import FittedModels
import Flows

/// `flow check`: compares a trained model's log-determinants with those of its Jacobian.
enum CheckCommand: Subcommand {
  static let name = "check"
  static let purpose =
    "Compare a trained model's log-determinants with its Jacobian, which dual numbers compute."
  static let operands = ["MODEL"]

  private static let ownOptions: [Arguments.Option] = [
    .init("rows", "N", default: "8", "how many rows to check at, drawn from the model"),
    .seed,
    .init("data", "FILE", "check at this file's first rows instead"),
    .init("given", "A=X,...", "the context, for a model fitted with --context, if --data is absent"),
    .init(
      "tolerance", "X",
      "the largest error allowed, relative where the truth is above 1; by default 1e-9, and 0.01 for "
        + "continuous flows, whose solver has an error"),
    .progress,
  ]

  static let options = ownOptions + TableFile.options

  static let examples = [
    "flow check model.safetensors", "flow check model.safetensors --data test.csv --json",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    let count = try arguments.integer("rows", in: 1...10_000)
    let seed = try arguments.seed()
    let asked = try arguments.value("tolerance").map { _ in try arguments.number("tolerance", in: 0...1) }
    let progress = try arguments.progress()
    let content = try SafeTensors.read(arguments.operands[0])
    let mixed = try MixedModel.read(content, from: arguments.operands[0])
    let model = try mixed.map { try $0.numbersModel() } ?? Model.read(content, from: arguments.operands[0])
    let tolerance = asked ?? (model.architecture.isContinuous ? 0.01 : 1e-9)
    let (rows, context): (Tensor, Tensor?)
    if let mixed {
      if arguments.value("data") != nil || arguments.value("given") != nil {
        throw UsageError("--data and --given do not go with a model of a mixed table, which draws its rows")
      }
      let draws = try mixed.model.encodedDraws(Key(seed), count: count)
      (rows, context) = (draws.numbers, draws.context)
    } else if let path = arguments.value("data") {
      let data = try Table.read([path], for: model, arguments, noting: notices)
      let first = 0..<min(count, data.values.rows)
      rows = data.values[first]
      context = try model.given.flatMap { given in
        try data.context.map { try given.standardized($0.values[first], .float64) }
      }
    } else {
      let given = try model.context(arguments, noting: notices)
      rows = try model.draws(Key(seed), count: count, given: given)
      context = given.map { $0.broadcast(to: [count, $0.shape[1]]) }
    }
    // A mixture without layers has no log-determinant but the standardization's, which the others have too.
    let all = try model.bijections(.float64)
    let layered = zip(all, model.members).filter { $1.layers > 0 }.map { $0.0 }
    let members = layered.isEmpty ? all : layered
    var meter = ProgressMeter(progress, total: rows.rows * members.count)
    defer { meter.finish() }
    var (worst, lines) = (0.0, [String]())
    for (i, (params, forward, inverse)) in members.enumerated() {
      for row in 0..<rows.rows {
        let input = rows[row..<row + 1].cast(to: .float64)
        let given = context?[row..<row + 1].cast(to: .float64)
        let report = try LogDetCheck(
          params, forward: forward, inverse: inverse, inputs: input, given: given, tolerance: tolerance
        ).run(progress: .silent)
        worst = max(worst, report.largestError)
        let place = members.count > 1 ? "member \(i + 1), row \(row)" : "row \(row)"
        if !report.passes { lines.append("\(place): \(report)") }
        if model.architecture.isContinuous {
          let gap = try roundTripError(params, forward, inverse, input, given)
          if gap > mostRoundTripError {
            lines.append("\(place): comes back \(decimals(gap)) off; the solver's steps are too long")
          }
        }
        let done = i * rows.rows + row + 1
        meter.report(done, "\(done) of \(rows.rows * members.count) checks, largest error \(worst)")
      }
    }
    let passes = lines.isEmpty
    let places = members.count > 1 ? "\(rows.rows) rows of \(members.count) members" : "\(rows.rows) rows"
    lines.append(
      "\(passes ? "passes" : "FAILS"): largest error \(worst) at \(places), allowed \(tolerance)")
    return Report(
      text: lines.joined(separator: "\n"),
      json: [
        "passes": .bool(passes), "largest_error": .number(worst), "rows": .integer(rows.rows),
        "tolerance": .number(tolerance),
      ], code: passes ? 0 : 1)
  }
}

/// The error of a row that went to latents and back above which a command warns.
let mostRoundTripError = 0.05

/// The largest error of rows that go to latents and back, relative above 1. Steps that are too long fold, and
/// then the density is none.
func roundTripError(
  _ params: Params, _ forward: Mapping, _ inverse: Mapping, _ rows: Tensor, _ context: Tensor?
) throws(FlowError) -> Double {
  // Without log-dets where that takes the same steps.
  let (latents, back): (Tensor, Tensor)
  if forward.hasEqualOutputsAlone && inverse.hasEqualOutputsAlone {
    latents = try forward.outputs(params, rows, context)
    back = try inverse.outputs(params, latents, context)
  } else {
    latents = try forward(params, rows, given: context).outputs
    back = try inverse(params, latents, given: context).outputs
  }
  return (abs(back - rows) / maximum(abs(rows), 1)).doubles.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
}
