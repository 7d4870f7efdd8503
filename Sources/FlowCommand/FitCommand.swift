import Arguments
import Flows

/// `flow fit`: fits a flow to a file of numbers and writes a model.
enum FitCommand: Subcommand {
  static let name = "fit"
  static let purpose = "Fit a flow to the rows of a file (.csv, .tsv, .npy, .npz)."
  static let operands = ["DATA"]

  static let options: [Arguments.Option] = [
    .init("out", "FILE", "where the model goes (.safetensors); required"),
    .init("architecture", "NAME", default: "nsf", Architecture.names),
    .init("columns", "A,B,...", "the columns to fit, for files with a header; the others may hold text"),
    .init("without", "A,B,...", "the columns to leave out, for files with a header: text, labels, constants"),
    .init("context", "A,B,...", "columns to condition on: a density of the others given these"),
    .init("layers", "N", "layers of the flow"),
    .init("hidden", "N,N,...", "widths of each network's hidden layers"),
    .init("bins", "N", "bins of each spline"),
    .init("bound", "X", "where splines end, in standard deviations"),
    .init("components", "N", "components of each mixture"),
    .init("epochs", "N", default: "200", "passes over the data at most"),
    .init("patience", "N", default: "20", "epochs without a better validation loss after which to stop"),
    .init("batch-size", "N", default: "256", "rows a step"),
    .init("learning-rate", "X", default: "0.001", "Adam's rate at the start; it falls to 0 along a cosine"),
    .init("validation", "X", default: "0.1", "share of the rows held out to judge each epoch"),
    .seed,
    .init("dtype", "NAME", default: "float32", "float32 or float64"),
    .init(flag: "no-standardize", "take the columns as they are"),
    .init("checkpoint", "FILE", "keep the run's state here, and go on from it after an interruption"),
    .init("checkpoint-steps", "N", "write it every N steps instead of every 5 minutes"),
    .progress,
  ]

  static let examples = [
    "flow fit data.csv --out model.safetensors",
    "flow fit data.csv --columns height,weight --architecture maf --hidden 128,128 --out model.safetensors",
    "flow fit data.csv --context age,sex --out given-age-and-sex.safetensors",
    "flow fit large.npy --epochs 50 --checkpoint run.safetensors --out model.safetensors",
  ]

  static func run(_ arguments: Arguments) async throws -> Report {
    guard let out = try Output.path("out", [".safetensors"], in: arguments) else {
      throw UsageError("--out FILE is required")
    }
    let choice = arguments.text("architecture")
    guard let architecture = Architecture.named(choice) else {
      throw UsageError("unknown architecture \(choice); there are \(Architecture.names)")
    }
    let settings = try architecture.settings(from: arguments)
    let dtype = try arguments.value("dtype", from: ["float32": DType.float32, "float64": .float64])
    let epochs = try arguments.integer("epochs", in: 1...1_000_000)
    let patience = try arguments.integer("patience", in: 1...1_000_000)
    let batchSize = try arguments.integer("batch-size", in: 1...1_000_000)
    let rate = try arguments.number("learning-rate", in: 1e-12...1e3)
    let validation = try arguments.number("validation", in: 0...0.9)
    let seed = try arguments.seed()
    let checkpoint = try checkpoint(arguments)
    let progress = try arguments.progress()

    let path = arguments.operands[0]
    let table = try Table.read(path, choosing: arguments, dtype: dtype)
    let values = table.values
    let isStandardized = !arguments.has("no-standardize")
    if isStandardized { try checkSpread(table, path) }
    let standardizing = isStandardized ? Standardize(of: values) : nil
    let flow = Model.flow(architecture, settings, standardizing: standardizing)

    let training = values.rows - Int((Double(values.rows) * validation).rounded())
    let steps = epochs * ((training + batchSize - 1) / batchSize)
    let optimizer = Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(rate, steps: steps)))
    let given = table.context.map { Given($0.columns, of: $0.values) }
    let context = table.context.flatMap { given?.standardized($0.values) }
    let fitted: Fitted
    do {
      fitted = try await Interruption.cancels {
        try fit(
          flow, to: values, given: context, key: Key(seed), epochs: epochs, batchSize: batchSize,
          optimizer: optimizer, validationFraction: validation, patience: patience, checkpoint: checkpoint,
          progress: progress)
      }
    } catch FlowError.diverged(_, let step, let what, _) {
      throw Failure(
        "\(what) was not finite after \(counted(step, "step")); try a --learning-rate below \(rate)")
    }
    if fitted.ending == .cancelled {
      let hint = checkpoint.map { "; the same command goes on from \($0.path)" } ?? ""
      return Report(text: "interrupted\(hint)", json: ["interrupted": true], code: 130)
    }

    let best = fitted.history.last { $0.isBest } ?? fitted.history[fitted.history.count - 1]
    let epochsDone = fitted.history.count
    var notes = ["seed": "\(seed)", "epochs": "\(epochsDone)", "training_loss": "\(best.trainingLoss)"]
    notes["validation_loss"] = best.validationLoss.map { "\($0)" }
    let model = Model(
      architecture: architecture, settings: settings, width: values.shape[1], isStandardized: isStandardized,
      columns: table.columns, dtype: dtype, params: fitted.params, given: given, notes: notes)
    try model.write(to: out)
    let held = best.validationLoss.map { ", held-out log-likelihood \(decimals(-$0)) nats per row" } ?? ""
    return Report(
      text: """
        fitted \(architecture.name) to \(counted(values.rows, "row")) of \
        \(counted(values.shape[1], "column")) in \(counted(epochsDone, "epoch"))\(held)
        wrote \(out)
        """,
      json: [
        "model": .string(out), "architecture": .string(architecture.name), "rows": .integer(values.rows),
        "columns": .integer(values.shape[1]), "parameters": .integer(fitted.params.learnedCount),
        "epochs": .integer(epochsDone), "best_epoch": .integer(best.index + 1),
        "training_log_likelihood": .number(-best.trainingLoss),
        "validation_log_likelihood": best.validationLoss.map { .number(-$0) } ?? .null,
      ])
  }

  private static func checkpoint(_ arguments: Arguments) throws(UsageError) -> Checkpoint? {
    let path = arguments.value("checkpoint")
    guard arguments.value("checkpoint-steps") != nil else { return path.map { Checkpoint($0) } }
    guard let path else { throw UsageError("--checkpoint-steps needs --checkpoint FILE") }
    return Checkpoint(path, every: .steps(try arguments.integer("checkpoint-steps", in: 1...1_000_000_000)))
  }

  /// Checks that no column is constant: a constant has no density, and standardization would divide by 0.
  private static func checkSpread(_ table: Table, _ path: String) throws(FlowError) {
    guard table.values.rows > 1 else { throw .inFile(path, "expected at least 2 rows, got 1") }
    let spread = (table.values.max(axis: 0) - table.values.min(axis: 0)).doubles
    let flat = spread.indices.filter { spread[$0] == 0 }
    guard let first = flat.first else { return }
    let names = table.columns.map { names in flat.map { names[$0] }.joined(separator: ",") }
    let hint = names.map { "; leave it out by --without \($0)" } ?? ""
    let what = "the same number in all rows: a constant has no density"
    throw .inFile(path, column: first + 1, "expected different numbers, got \(what)\(hint)")
  }
}

/// A number with at most three decimals.
func decimals(_ x: Double) -> String { x.isFinite ? "\((x * 1000).rounded() / 1000)" : "\(x)" }
