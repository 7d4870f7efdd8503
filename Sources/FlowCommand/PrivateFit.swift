import Arguments
import FittedModels
import Flows

/// `flow fit --private`: a fit whose result reveals little about any single row.
///
/// Everything but the rows is declared: columns and bounds, the rate, the divisor and the steps.
struct PrivateFitting {
  private let columns: [String]
  /// The declared bounds; nil for those that are bought from the rows.
  private let declared: [ClosedRange<Double>?]
  private let logged: [Bool]
  private let search: RangeSearch?
  private let plan: PrivacyPlan
  private let options: PrivateOptions
  private let choice: Architecture.Choice

  /// Reads the command line, and finds the noise.
  init(_ arguments: Arguments, noting notices: Notices) throws {
    guard arguments.value("bounds") != nil else {
      throw UsageError("--private needs --bounds of columns of numbers, or the --schema of a mixed table")
    }
    (columns, declared) = try Self.bounds(arguments)
    logged = try Self.logged(columns, arguments)
    _ = try Self.scales(columns, declared.map { $0 ?? 1...2 }, logged)
    options = try PrivateOptions(arguments, noting: notices)
    choice = try Self.architecture(arguments, width: columns.count)
    let bought = zip(columns, declared).filter { $0.1 == nil }.map(\.0)
    search = try options.search(for: bought)
    plan = try PrivacyPlan(
      epsilon: options.epsilon, delta: options.delta, rate: options.rate, batch: options.batch,
      steps: options.steps, clipping: options.clipping, besides: options.ledger(of: search),
      by: options.accountant)
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
    if own.search != nil && checkpoint != nil {
      throw UsageError("--checkpoint needs --bounds of all columns: bought ones differ from run to run")
    }
    let (options, progress) = (own.options, try arguments.progress())
    let table = try Table(Table.choose(own.reading(arguments), noting: notices))
    let bounds = try own.bounds(of: table.values)
    let scales = try Self.scales(own.columns, bounds, own.logged)
    let rows = scales.standardized(own.clamped(table.values, to: bounds), roundedTo: options.dtype)
    let width = own.columns.count
    let identity = Standardize(mean: .zeros([width]), deviation: .ones([width]))
    let flow = Model.flow(own.choice.architecture.build(own.choice.settings), standardizing: identity)
    let result = try await Interruption.cancels {
      try fit(
        flow, to: rows, privately: own.plan, noise: options.noise, key: options.key,
        optimizer: options.optimizer, label: "\(own.columns) \(bounds) \(own.logged)",
        checkpoint: checkpoint, progress: progress)
    }
    let spent = try own.plan.spent(by: options.accountant)
    let params = try Model.replacing(
      result.fitted.params, count: 1, true, mean: Tensor(scales.mean, dtype: options.dtype),
      deviation: Tensor(scales.deviation, dtype: options.dtype))
    let numbers = options.numbers(own.plan, spent)
    let model = Model(
      architecture: own.choice.architecture, members: [own.choice.settings], width: width,
      isStandardized: true, columns: own.columns, dtype: options.dtype, params: params, scales: scales,
      notes: Dictionary(uniqueKeysWithValues: numbers.map { ($0.name, $0.value.text) }))
    try model.write(to: out)
    let bought = own.columns.indices.filter { own.declared[$0] == nil }.map { (own.columns[$0], bounds[$0]) }
    return options.report(
      "\(model.architecture.name) to \(counted(width, "column")) in "
        + counted(result.fitted.state.step, "step"),
      own.plan, spent, bought: bought, isCancelled: result.fitted.ending == .cancelled, to: out,
      [
        .init("architecture", .string(model.architecture.name)), .init("columns", .integer(width)),
        .init("parameters", .integer(model.params.learnedCount)),
      ])
  }

  // MARK: - The command line

  /// The columns and their bounds, nil for a name alone.
  private static func bounds(
    _ arguments: Arguments
  ) throws(UsageError) -> (columns: [String], bounds: [ClosedRange<Double>?]) {
    var (columns, bounds) = ([String](), [ClosedRange<Double>?]())
    for part in try Table.names("bounds", arguments) ?? [] {
      let parts = part.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count == 1 {
        columns.append(part)
        bounds.append(nil)
        continue
      }
      guard parts.count > 2, let low = Double(parts[parts.count - 2]),
        let high = Double(parts[parts.count - 1]),
        low < high, low.isFinite, high.isFinite
      else {
        throw UsageError(
          "expected a column with two rising bounds such as age:17:90 for --bounds, or age alone to buy "
            + "them, got \(part)")
      }
      columns.append(parts.dropLast(2).joined(separator: ":"))
      bounds.append(low...high)
    }
    return (columns, bounds)
  }

  /// Whether the log of each column is modelled.
  private static func logged(_ columns: [String], _ arguments: Arguments) throws(UsageError) -> [Bool] {
    let logged = try Table.names("log", arguments) ?? []
    if let unknown = logged.first(where: { !columns.contains($0) }) {
      throw UsageError("expected a column of --bounds for --log, got \(unknown)")
    }
    return columns.map(logged.contains)
  }

  /// The map that brings a uniform column between its bounds to mean 0 and deviation 1.
  private static func scales(
    _ columns: [String], _ bounds: [ClosedRange<Double>], _ logs: [Bool]
  ) throws(UsageError) -> Scales {
    let ends = try columns.indices.map { (i) throws(UsageError) -> (Double, Double) in
      let range = bounds[i]
      guard logs[i] else { return (range.lowerBound, range.upperBound) }
      if range.lowerBound <= 0 {
        throw UsageError("expected bounds above 0 for \(columns[i]), whose log is modelled")
      }
      let logs = log(Tensor([range.lowerBound, range.upperBound], dtype: .float64)).doubles
      return (logs[0], logs[1])
    }
    let scales = Scales(
      mean: ends.map { 0.5 * ($0 + $1) }, deviation: ends.map { ($1 - $0) / 12.0.squareRoot() }, logs: logs)
    guard let scales else { throw UsageError("expected bounds whose difference is finite for --bounds") }
    return scales
  }

  /// The declared bounds, and those that the search finds in the values.
  private func bounds(of values: Tensor) throws(PrivacyError) -> [ClosedRange<Double>] {
    guard let search else { return declared.map { $0! } }
    let places = declared.indices.filter { declared[$0] == nil }
    let ranges = try search(
      places.map { i in
        RangeSearch.Column(
          columns[i], values.sliced(axis: 1, i..<i + 1).doubles, isLogarithmic: logged[i])
      }, noise: options.noise)
    var bounds = declared
    for (i, range) in zip(places, ranges) { bounds[i] = range }
    return bounds.map { $0! }
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
  private func clamped(_ values: Tensor, to bounds: [ClosedRange<Double>]) -> Tensor {
    let low = Tensor(doubles: bounds.map(\.lowerBound), shape: [bounds.count])
    let high = Tensor(doubles: bounds.map(\.upperBound), shape: [bounds.count])
    return minimum(maximum(values, low), high)
  }
}
