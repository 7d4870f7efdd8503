import Arguments
import Flows

/// `flow fit --private`: a fit whose result reveals little about any single row.
///
/// Everything but the rows is declared: columns and bounds, the rate, the divisor and the steps.
struct PrivateFitting {
  static let options: [Arguments.Option] = [
    .init(flag: "private", "fit with differential privacy; needs the options from --epsilon to --steps"),
    .init("epsilon", "E", "private: what all steps may reveal about a row: 1 is strong, 8 weak"),
    .init("delta", "D", "private: the probability that epsilon fails, well below 1 / rows"),
    .init("sampling-rate", "Q", "private: the probability that a row joins a step"),
    .init(
      "expected-batch", "B", "private: about the rows of a step, a declared number; sums are divided by it"),
    .init("clip", "C", default: "1", "private: the largest norm of a row's gradient"),
    .init("points", "N", default: "131072", "private: the accountant's grid points, a power of two"),
    .init("not-private-seed", "N", "private: noise that everybody can repeat, for tests; NOT private"),
  ]

  /// Options that read the rows without a charge, with the option to use instead.
  private static let refused = [
    ("columns", "--bounds names the columns"), ("without", "--bounds names the columns"),
    ("context", "a private fit takes no context"), ("epochs", "give --steps"),
    ("max-time", "give --steps"), ("batch-size", "give --sampling-rate and --expected-batch"),
    ("patience", "all steps are taken"), ("folds", "no rows are held out"),
    ("validation", "no rows are held out"), ("type", "columns are numbers"),
    ("missing", "rows with missing values are refused"),
  ]

  private let columns: [String]
  private let bounds: [ClosedRange<Double>]
  private let scales: Scales
  private let plan: PrivacyPlan
  private let accountant: PLDAccountant
  private let noise: NoiseSource
  private let choice: Architecture.Choice
  private let optimizer: any Optimizer
  private let dtype: DType
  private let key: Key

  /// Reads the command line, and finds the noise.
  init(_ arguments: Arguments, noting notices: Notices) throws {
    for (option, instead) in Self.refused where arguments.value(option) != nil {
      throw UsageError("--\(option) does not go with --private: \(instead)")
    }
    if arguments.has("no-standardize") {
      throw UsageError("--no-standardize does not go with --private: --bounds set the scales")
    }
    for option in ["bounds", "epsilon", "delta", "sampling-rate", "expected-batch", "steps"]
    where arguments.value(option) == nil {
      throw UsageError("--private needs --\(option)")
    }
    (columns, bounds) = try Self.bounds(arguments)
    scales = try Self.scales(columns, bounds, arguments)
    let steps = try arguments.integer("steps", in: 1...10_000_000)
    noise =
      arguments.value("not-private-seed") == nil
      ? .secret()
      : .notPrivate(
        seed: UInt64(bitPattern: Int64(try arguments.integer("not-private-seed", in: .min ... .max))))
    if !noise.isPrivate {
      notices.warn("--not-private-seed: anybody can subtract this noise, so the model is NOT private")
    }
    notices.warn(
      "the number of rows is private too: do not derive --sampling-rate, --expected-batch, --steps, --delta "
        + "or --bounds from this file")
    choice = try Self.architecture(arguments, width: columns.count)
    let rate = try arguments.value("learning-rate").map { _ in
      try arguments.number("learning-rate", in: 1e-12...1e3)
    }
    let decay = try arguments.value("weight-decay").map { _ in
      try arguments.number("weight-decay", in: 0...1e6)
    }
    optimizer = MovingAverage(
      AdamW(
        learningRate: .cosine(rate ?? 2e-3, steps: steps), weightDecay: decay ?? 0, decayed: .matrices),
      decay: 0.99)
    dtype = try arguments.value("dtype", from: ["float32": DType.float32, "float64": .float64])
    key = Key(try arguments.seed())
    let points = try arguments.integer("points", in: 1 << 8...1 << 24)
    guard points.nonzeroBitCount == 1 else {
      throw UsageError("expected a power of two for --points, got \(points)")
    }
    accountant = PLDAccountant(points: points)
    plan = try PrivacyPlan(
      epsilon: arguments.number("epsilon", in: 1e-3...1e3),
      delta: arguments.number("delta", in: 1e-50...0.5),
      rate: arguments.number("sampling-rate", in: 1e-9...1),
      batch: arguments.number("expected-batch", in: 1e-3...1e9), steps: steps,
      clipping: .perRow(arguments.number("clip", in: 1e-9...1e9)), by: accountant)
  }

  /// Fits, and writes the model.
  static func run(
    _ arguments: Arguments, to out: String, checkpoint: Checkpoint?, noting notices: Notices
  ) async throws -> Report {
    let own = try PrivateFitting(arguments, noting: notices)
    let progress = try arguments.progress()
    let table = try Table(Table.choose(own.reading(arguments), noting: notices))
    let rows = own.scales.standardized(own.clamped(table.values), roundedTo: own.dtype)
    let width = own.columns.count
    let identity = Standardize(mean: .zeros([width]), deviation: .ones([width]))
    let flow = Model.flow(own.choice.architecture.build(own.choice.settings), standardizing: identity)
    let result = try await Interruption.cancels {
      try fit(
        flow, to: rows, privately: own.plan, noise: own.noise, key: own.key, optimizer: own.optimizer,
        checkpoint: checkpoint, progress: progress)
    }
    let spent = try own.plan.spent(by: own.accountant)
    let params = try Model.replacing(
      result.fitted.params, count: 1, true, mean: Tensor(own.scales.mean, dtype: own.dtype),
      deviation: Tensor(own.scales.deviation, dtype: own.dtype))
    let numbers = own.numbers(spent)
    let model = Model(
      architecture: own.choice.architecture, members: [own.choice.settings], width: width,
      isStandardized: true, columns: own.columns, dtype: own.dtype, params: params, scales: own.scales,
      notes: Dictionary(uniqueKeysWithValues: numbers.map { ($0.name, $0.value.text) }))
    try model.write(to: out)
    return own.report(model, result, spent, numbers, out)
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

  // MARK: - The result

  /// The numbers of the guarantee, for the model file and programs. None depends on the rows.
  private func numbers(_ spent: (moments: Double, losses: PrivacyBounds)) -> [JSON.Member] {
    [
      .init("private", .bool(noise.isPrivate)), .init("epsilon", .number(spent.losses.upper)),
      .init("epsilon_lower", .number(spent.losses.lower)), .init("epsilon_rdp", .number(spent.moments)),
      .init("delta", .number(plan.delta)), .init("sampling_rate", .number(plan.mechanism.rate)),
      .init("noise", .number(plan.mechanism.noiseMultiplier)), .init("steps", .integer(plan.steps)),
      .init("clip", .number(plan.clipping.bound)), .init("expected_batch", .number(plan.batch)),
    ]
  }

  private func report(
    _ model: Model, _ result: PrivateFit, _ spent: (moments: Double, losses: PrivacyBounds),
    _ numbers: [JSON.Member], _ out: String
  ) -> Report {
    let isCancelled = result.fitted.ending == .cancelled
    var lines = [
      "fitted \(model.architecture.name) to \(counted(columns.count, "column")) in "
        + "\(counted(result.fitted.state.step, "step"))",
      noise.isPrivate
        ? "epsilon \(decimals(spent.losses.upper)) at delta \(plan.delta), for one row more or less "
          + "(\(decimals(spent.moments)) by Rényi divergences)"
        : "NOT private: the noise can be repeated from its seed",
      "rate \(plan.mechanism.rate), noise \(decimals(plan.mechanism.noiseMultiplier)) times the norm "
        + "\(plan.clipping.bound)",
      "the likelihood is not known: computing it on these rows would reveal more about them",
    ]
    if isCancelled { lines.append("interrupted: epsilon is that of all \(counted(plan.steps, "step"))") }
    lines.append("wrote \(out)")
    var json: [JSON.Member] = [
      .init("model", .string(out)), .init("architecture", .string(model.architecture.name)),
      .init("columns", .integer(columns.count)), .init("parameters", .integer(model.params.learnedCount)),
    ]
    json += numbers
    if isCancelled { json.append(.init("interrupted", true)) }
    return Report(text: lines.joined(separator: "\n"), json: .object(json), code: isCancelled ? 130 : 0)
  }
}
