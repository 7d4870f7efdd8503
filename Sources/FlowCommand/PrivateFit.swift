import Arguments
import Flows

/// `flow fit --private`: a fit whose result reveals little about any single row.
///
/// Everything but the rows is declared: columns and bounds, the rate, the divisor and the steps.
struct PrivateFitting {
  private let columns: [String]
  private let bounds: [ClosedRange<Double>]
  private let scales: Scales
  private let plan: PrivacyPlan
  private let options: PrivateOptions
  private let choice: Architecture.Choice

  /// Reads the command line, and finds the noise.
  init(_ arguments: Arguments, noting notices: Notices) throws {
    guard arguments.value("bounds") != nil else {
      throw UsageError("--private needs --bounds of columns of numbers, or the --schema of a mixed table")
    }
    (columns, bounds) = try Self.bounds(arguments)
    scales = try Self.scales(columns, bounds, arguments)
    options = try PrivateOptions(arguments, noting: notices)
    choice = try Self.architecture(arguments, width: columns.count)
    plan = try PrivacyPlan(
      epsilon: options.epsilon, delta: options.delta, rate: options.rate, batch: options.batch,
      steps: options.steps, clipping: options.clipping, by: options.accountant)
  }

  /// Fits, and writes the model.
  static func run(
    _ arguments: Arguments, to out: String, checkpoint: Checkpoint?, noting notices: Notices
  ) async throws -> Report {
    if arguments.value("schema") != nil {
      guard checkpoint == nil else {
        throw UsageError("--checkpoint does not go with --schema: its two fits are short")
      }
      return try await PrivateMixedFit(arguments, noting: notices).run(arguments, to: out, noting: notices)
    }
    let own = try PrivateFitting(arguments, noting: notices)
    let (options, progress) = (own.options, try arguments.progress())
    let table = try Table(Table.choose(own.reading(arguments), noting: notices))
    let rows = own.scales.standardized(own.clamped(table.values), roundedTo: options.dtype)
    let width = own.columns.count
    let identity = Standardize(mean: .zeros([width]), deviation: .ones([width]))
    let flow = Model.flow(own.choice.architecture.build(own.choice.settings), standardizing: identity)
    let result = try await Interruption.cancels {
      try fit(
        flow, to: rows, privately: own.plan, noise: options.noise, key: options.key,
        optimizer: options.optimizer, label: "\(own.columns) \(own.bounds) \(own.scales.logs)",
        checkpoint: checkpoint, progress: progress)
    }
    let spent = try own.plan.spent(by: options.accountant)
    let params = try Model.replacing(
      result.fitted.params, count: 1, true, mean: Tensor(own.scales.mean, dtype: options.dtype),
      deviation: Tensor(own.scales.deviation, dtype: options.dtype))
    let numbers = options.numbers(own.plan, spent)
    let model = Model(
      architecture: own.choice.architecture, members: [own.choice.settings], width: width,
      isStandardized: true, columns: own.columns, dtype: options.dtype, params: params, scales: own.scales,
      notes: Dictionary(uniqueKeysWithValues: numbers.map { ($0.name, $0.value.text) }))
    try model.write(to: out)
    return options.report(
      "\(model.architecture.name) to \(counted(width, "column")) in "
        + counted(result.fitted.state.step, "step"),
      own.plan, spent, isCancelled: result.fitted.ending == .cancelled, to: out,
      [
        .init("architecture", .string(model.architecture.name)), .init("columns", .integer(width)),
        .init("parameters", .integer(model.params.learnedCount)),
      ])
  }

  // MARK: - The command line

  /// The columns and their bounds.
  private static func bounds(
    _ arguments: Arguments
  ) throws(UsageError) -> (columns: [String], bounds: [ClosedRange<Double>]) {
    var (columns, bounds) = ([String](), [ClosedRange<Double>]())
    for part in try Table.names("bounds", arguments) ?? [] {
      let parts = part.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count > 2, let low = Double(parts[parts.count - 2]),
        let high = Double(parts[parts.count - 1]),
        low < high, low.isFinite, high.isFinite
      else {
        throw UsageError(
          "expected a column with two rising bounds such as age:17:90 for --bounds, got \(part)")
      }
      columns.append(parts.dropLast(2).joined(separator: ":"))
      bounds.append(low...high)
    }
    return (columns, bounds)
  }

  /// The map that brings a uniform column between its bounds to mean 0 and deviation 1.
  private static func scales(
    _ columns: [String], _ bounds: [ClosedRange<Double>], _ arguments: Arguments
  ) throws(UsageError) -> Scales {
    let logged = try Table.names("log", arguments) ?? []
    if let unknown = logged.first(where: { !columns.contains($0) }) {
      throw UsageError("expected a column of --bounds for --log, got \(unknown)")
    }
    let ends = try zip(columns, bounds).map { (name, range) throws(UsageError) -> (Double, Double) in
      guard logged.contains(name) else { return (range.lowerBound, range.upperBound) }
      if range.lowerBound <= 0 {
        throw UsageError("expected bounds above 0 for \(name), whose log is modelled")
      }
      let logs = log(Tensor([range.lowerBound, range.upperBound], dtype: .float64)).doubles
      return (logs[0], logs[1])
    }
    let scales = Scales(
      mean: ends.map { 0.5 * ($0 + $1) }, deviation: ends.map { ($1 - $0) / 12.0.squareRoot() },
      logs: columns.map(logged.contains))
    guard let scales else { throw UsageError("expected bounds whose difference is finite for --bounds") }
    return scales
  }

  /// The one architecture to fit. `auto` compares several on held-out rows, so it stands for a fixed one.
  private static func architecture(
    _ arguments: Arguments, width: Int
  ) throws(UsageError) -> Architecture.Choice {
    if arguments.text("architecture") == "auto" {
      let architecture = Architecture.named("nsf")!
      return (architecture, try architecture.settings(from: arguments, among: ["nsf"]))
    }
    let choices = try Architecture.choices(in: arguments, width: width, isConditional: false) ?? []
    guard choices.count == 1, choices[0].architecture.training == nil else {
      throw UsageError(
        "--private takes one architecture that is fitted by maximum likelihood, such as nsf, maf or realnvp")
    }
    return choices[0]
  }

  /// The command line for reading the columns alone.
  private func reading(_ arguments: Arguments) throws(UsageError) -> Arguments {
    let names = columns.map(quotedInOption).joined(separator: ",")
    var line = ["--columns", names]
    for option in TableFile.options {
      if let value = arguments.value(option.name) { line += ["--\(option.name)", value] }
      if arguments.has(option.name) { line.append("--\(option.name)") }
    }
    return try Arguments(
      line + ["--"] + arguments.operands, options: FitCommand.options, operands: FitCommand.operands)
  }

  /// The values between their bounds.
  private func clamped(_ values: Tensor) -> Tensor {
    let low = Tensor(doubles: bounds.map(\.lowerBound), shape: [bounds.count])
    let high = Tensor(doubles: bounds.map(\.upperBound), shape: [bounds.count])
    return minimum(maximum(values, low), high)
  }
}
