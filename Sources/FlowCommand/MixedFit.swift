import Arguments
import FittedModels
import Flows

/// A fit to a table of mixed columns: texts, dates, whole numbers and missing values beside numbers.
struct MixedFit {
  private let arguments: Arguments
  private let table: TextTable
  private let schema: TableSchema
  /// The rows of the table that are fitted.
  private let rows: [Int]
  /// Whether the columns are numbers whose values call for a schema.
  private let isInferred: Bool

  /// Whether options ask for a schema.
  ///
  /// - Throws: `UsageError` if others ask for none.
  static func isAsked(by arguments: Arguments) throws(UsageError) -> Bool {
    let asking = ["bounds", "missing", "type"].filter { arguments.value($0) != nil }
    guard isRefused(by: arguments) else { return !asking.isEmpty }
    if asking.count > 1 { throw UsageError("--type continuous and --\(asking[0]) do not go together") }
    return false
  }

  /// Whether options ask for a density of all columns, whatever their numbers.
  private static func isRefused(by arguments: Arguments) -> Bool {
    arguments.value("type") == ColumnKind.continuous.rawValue
  }

  /// Whether a table of numbers may be fitted by a schema: it is text, and no option speaks against it.
  static func suits(_ choice: Table.Choice, _ arguments: Arguments) -> Bool {
    guard case .texts = choice.file else { return false }
    return choice.context.isEmpty && !arguments.has("no-standardize") && !isRefused(by: arguments)
  }

  /// Infers the schema of chosen columns.
  init(
    _ choice: Table.Choice, _ arguments: Arguments, isInferred: Bool = false, noting notices: Notices
  ) throws {
    guard case .texts(let table) = choice.file else {
      throw UsageError("--type, --bounds and --missing are for tables as text")
    }
    for option in ["context", "no-standardize"]
    where arguments.value(option) != nil || arguments.has(option) {
      throw UsageError(
        "--\(option) does not go with a table of mixed columns"
          + (option == "context" ? "; flow sample --given draws rows given any columns" : ""))
    }
    (self.arguments, self.table, self.isInferred) = (arguments, table, isInferred)
    (schema, rows) = try TableSchema.infer(
      from: table, columns: choice.own, options: Self.options(arguments))
    guard schema.featureCount > 0 || schema.hasNumbers else {
      throw UsageError("expected a column with different values, got constants alone")
    }
    if rows.count < table.rows {
      notices.warn(
        "\(table.rows - rows.count) of \(counted(table.rows, "row")) have missing values and are left out")
    }
    warnOfDependence(notices)
    let enough = max(100, 10 * schema.columns.count)
    if rows.count < enough {
      notices.warn(
        "\(counted(rows.count, "row")) are few for \(counted(schema.columns.count, "column")); "
          + "\(enough) or more give a held-out likelihood that one can trust")
    }
  }

  /// Warns of columns that follow from others, or nearly so, and of numbers that may name the rows.
  private func warnOfDependence(_ notices: Notices) {
    let source = table.origin(ofRow: 0).file
    let rules = schema.columns.compactMap(\.dependence)
    if !rules.isEmpty {
      let more = rules.count > 10 ? ", and \(rules.count - 10) more" : ""
      notices.warn(
        "\(source): columns follow from others in all rows: "
          + "\(rules.prefix(10).joined(separator: ", "))\(more); "
          + "draws keep that, and the likelihood is that of the other columns")
    }
    let step = max(1, rows.count / 10_000)
    let sample = stride(from: 0, to: rows.count, by: step).map { rows[$0] }
    let (names, numbers) = schema.numbers(of: table, rows: sample)
    if !names.isEmpty {
      for line in LinearDependence.all(in: numbers).warnings(source, { names[$0] }) { notices.warn(line) }
    }
    let named = schema.columns.filter { column in
      guard column.kind == .integer, column.levels.isEmpty, column.dependence == nil else { return false }
      let position = table.names.firstIndex(of: column.name)!
      let own = sample.compactMap { row -> Double? in
        if case .number(let x) = table.value(row: row, column: position) { x } else { nil }
      }
      return mayIdentifyRows(own, named: column.name)
    }
    if !named.isEmpty { notices.warn(Table.identifiers(named.map(\.name), in: source)) }
  }

  /// Infers a schema where reading numbers has failed. Nil if a schema would not help.
  init?(
    _ choice: Table.Choice, _ arguments: Arguments, insteadOf error: any Error, noting notices: Notices
  ) throws {
    // Advice to take commas as decimal marks is better than a schema of texts.
    guard case .texts = choice.file, case FlowError.file(_, let row?, let column, let message) = error,
      !message.contains("--decimal comma")
    else { return nil }
    do { try self.init(choice, arguments, noting: notices) } catch FlowError.file(_, row, column, _) {
      return nil
    }
  }

  /// Fits, writes the model and reports.
  func run(
    _ out: String, _ dtype: DType, _ key: Key, _ checkpoint: Checkpoint?, _ progress: ProgressOutput,
    _ notices: Notices, from start: ContinuousClock.Instant
  ) async throws -> Report {
    let encoded = try schema.encode(table, rows: rows)
    var settings = try FitCommand.settings(arguments, rows: encoded.count)
    let choices =
      try Architecture.choices(
        in: arguments, width: schema.numberCount, isConditional: schema.featureCount > 0)
      ?? [(Architecture.orderedSplines, Architecture.orderedSplines.defaults)]
    try FitCommand.checkComparable(choices.count, rows: encoded.count, settings)
    let hasRate = arguments.value("learning-rate") != nil
    let candidates = choices.map { $0.architecture.candidate($0.settings, hasRate: hasRate) }
    if let end = try FitCommand.end(arguments, from: start) {
      settings.steps = try steps(until: end, candidates, encoded, settings, key, dtype)
      settings.epochs = nil
    }
    let trained = settings
    let fit: TableFit
    do {
      fit = try await Interruption.cancels {
        try TableModel.fit(
          schema, to: encoded, candidates: candidates, settings: trained, key: key, dtype: dtype,
          checkpoint: checkpoint, progress: progress)
      }
    } catch { throw FitCommand.advised(error, settings) }
    let members = fit.numbers?.members.map { choices[$0.candidate] } ?? [choices[0]]
    let model = MixedModel(
      architecture: members[0].architecture, members: members.map(\.settings), model: fit.model,
      notes: [
        "seed": arguments.text("seed"), "steps": "\(settings.steps)",
        "validation_loss": "\(-fit.heldOutLogLikelihood)",
      ])
    try model.write(to: out)
    let curve = fit.numbers?.learningCurve ?? fit.codes?.learningCurve
    return try FitCommand.drawing(
      curve, in: report(fit, model, encoded.count, out, checkpoint), arguments)
  }

  /// The steps of each fit that end at an instant. A step of both fits takes the time of both.
  private func steps(
    until end: ContinuousClock.Instant, _ candidates: [Candidate], _ encoded: TableRows,
    _ settings: FitSettings, _ key: Key, _ dtype: DType
  ) throws -> Int {
    let few = encoded.rows(Array(0..<min(10 * settings.batchSize, encoded.count)))
    var short = FitCommand.short(settings)
    return try FitCommand.steps(
      until: end, fits: candidates.count * settings.folds, rows: few.count, settings.batchSize
    ) { epochs in
      short.epochs = epochs
      _ = try TableModel.fit(
        schema, to: few, candidates: [candidates[0]], settings: short, key: key, dtype: dtype,
        progress: .silent)
    }
  }

  private func report(
    _ fit: TableFit, _ model: MixedModel, _ count: Int, _ out: String, _ checkpoint: Checkpoint?
  ) -> Report {
    let trials = fit.numbers?.trials ?? []
    let steps = (fit.codes?.state.step ?? 0) + trials.reduce(0) { $0 + $1.steps }
    let name = model.model.schema.hasNumbers ? model.architecture.name : "the columns' levels"
    let held =
      fit.heldOutLogLikelihood.isFinite
      ? ", held-out log-likelihood \(model.boundWords)\(decimals(fit.heldOutLogLikelihood)) nats per row; "
        + "independent columns have \(decimals(fit.independentLogLikelihood))" : ""
    var lines = [
      schema.summary, "fitted \(name) to \(counted(count, "row")) in \(counted(steps, "step"))\(held)",
    ]
    lines.append(schema.meaningOfScores)
    if trials.count > 1 {
      let best = trials.first { $0.weight > 0 }?.name ?? ""
      lines.insert("compared \(trials.map(\.name).joined(separator: ", ")); took \(best)", at: 1)
    }
    if fit.isCancelled {
      let state =
        fit.numbers?.trials.allSatisfy { $0.steps == 0 } == true
        ? "before the numbers were fitted: they have the density that their flow starts with"
        : ": this is the best model so far"
      let hint = checkpoint.map { "; the same command goes on from \($0.path)" } ?? ""
      lines.append("interrupted\(state.hasPrefix(":") ? "" : " ")\(state)\(hint)")
    }
    if isInferred { lines.append("--type continuous fits one density to all columns instead") }
    lines.append("wrote \(out)")
    var json: [JSON.Member] = [
      .init("model", .string(out)), .init("architecture", .string(model.architecture.name)),
      .init("members", .integer(model.members.count)), .init("rows", .integer(count)),
      .init("columns", .integer(schema.columns.count)),
      .init("parameters", .integer(model.model.params.learnedCount)), .init("steps", .integer(steps)),
      .init("validation_log_likelihood", .number(fit.heldOutLogLikelihood)),
      .init("independent_log_likelihood", .number(fit.independentLogLikelihood)),
      .init("bound", .bool(schema.isBound)), .init("schema", schema.json),
    ]
    if fit.isCancelled { json.append(.init("interrupted", true)) }
    return Report(
      text: lines.joined(separator: "\n"), json: .object(json), code: fit.isCancelled ? 130 : 0)
  }

  // MARK: - Options

  private static func options(_ arguments: Arguments) throws -> TableSchema.Options {
    var options = TableSchema.Options()
    for part in try Table.names("type", arguments) ?? [] {
      let (name, text) = try split(part, "type", "such as age:integer")
      guard let kind = ColumnKind(rawValue: text) else {
        throw UsageError(
          "expected \(ColumnKind.allCases.map(\.rawValue).joined(separator: ", ")) for --type, got \(part)")
      }
      options.types[name] = kind
    }
    for part in try Table.names("bounds", arguments) ?? [] {
      let (rest, high) = try split(part, "bounds", "such as age:17:90")
      let (name, low) = try split(rest, "bounds", "such as age:17:90")
      func number(_ text: String, _ missing: Double) -> Double? { text.isEmpty ? missing : Double(text) }
      guard let low = number(low, -.infinity), let high = number(high, .infinity), low < high else {
        throw UsageError("expected two rising bounds such as age:17:90 for --bounds, got \(part)")
      }
      options.bounds[name] = low...high
    }
    options.logs = Set(try Table.names("log", arguments) ?? [])
    if arguments.value("missing") != nil {
      options.missing = try arguments.value(
        "missing",
        from: ["model": .model, "drop": .drop, "error": .error]
          as KeyValuePairs<String, TableSchema.Missing>)
    }
    return options
  }

  /// The parts before and behind the last colon.
  private static func split(
    _ text: String, _ option: String, _ example: String
  ) throws(UsageError) -> (String, String) {
    guard let mark = text.lastIndex(of: ":") else {
      throw UsageError("expected a column and its \(option) \(example), got \(text)")
    }
    return (String(text[..<mark]).trimmed, String(text[text.index(after: mark)...]).trimmed)
  }
}
