import Arguments
import FittedModels
import Flows

/// `flow fit --private --schema FILE`: a private fit to a table of mixed columns.
struct PrivateMixedFit {
  private let declaration: TableDeclaration
  private let search: RangeSearch?
  private let options: PrivateOptions
  private let plan: PrivacyPlan
  private let choice: Architecture.Choice

  /// Reads the command line and the schema.
  init(_ arguments: Arguments, noting notices: Notices) throws {
    for option in ["bounds", "log"] where arguments.value(option) != nil {
      throw UsageError("--\(option) does not go with --schema, which declares it")
    }
    options = try PrivateOptions(arguments, noting: notices)
    declaration = try Self.declaration(arguments.text("schema"))
    search = try options.search(for: declaration.boughtNames)
    plan = try TableModel.plan(
      declaration.provisional, epsilon: options.epsilon, delta: options.delta, rate: options.rate,
      batch: options.batch,
      steps: options.steps, clipping: options.clipping, besides: options.ledger(of: search),
      by: options.accountant)
    let own = Architecture.orderedSplines
    guard ["auto", own.name].contains(arguments.text("architecture")) else {
      throw UsageError("--schema takes --architecture \(own.name) alone")
    }
    var settings = try own.settings(from: arguments, among: [own.name])
    // Noise grows with the number of parameters.
    if arguments.value("layers") == nil { settings.values[.layers] = 1 }
    if arguments.value("hidden") == nil { settings.values[.hidden] = [64, 64] }
    choice = (own, settings)
  }

  private static func declaration(_ path: String) throws(FlowError) -> TableDeclaration {
    let declaration: TableDeclaration
    let text = String(decoding: try FileBytes.read(path), as: UTF8.self)
    do throws(FlowError) { declaration = try TableDeclaration(text) } catch {
      guard case .mismatch(_, let what, let expected, let got) = error else { throw error }
      throw .inFile(path, "expected a \(what) \(expected), got \(got)")
    }
    if declaration.provisional.columns.allSatisfy({ $0.levels.count == 1 && $0.missing == nil }) {
      throw .inFile(path, "expected a column of more than one level, got none to fit")
    }
    return declaration
  }

  /// Fits, and writes the model.
  func run(_ arguments: Arguments, to out: String, noting notices: Notices) async throws -> Report {
    let progress = try arguments.progress()
    let file = try TableFile.read(arguments.operands, arguments, known: declaration.names, noting: notices)
    guard case .texts(let table) = file else { throw UsageError("--schema is for tables as text") }
    let schema = try declaration.schema(buying: search, from: table, noise: options.noise)
    let rows = try schema.encode(table, clamping: true)
    let (options, plan, choice) = (options, plan, choice)
    let bought = declaration.boughtNames.map { name in
      (name, schema.columns.first { $0.name == name }!.bounds!)
    }
    let result = try await Interruption.cancels {
      try TableModel.fit(
        schema, to: rows, privately: plan, flow: choice.architecture.build(choice.settings),
        noise: options.noise, key: options.key, optimizer: options.optimizer, dtype: options.dtype,
        progress: progress)
    }
    let spent = try result.plan.spent(by: options.accountant)
    let fits = TableModel.fits(of: schema)
    let notes = options.numbers(result.plan, spent, fits: fits).map { ($0.name, $0.value.text) }
    let model = MixedModel(
      architecture: choice.architecture, members: [choice.settings], model: result.model,
      notes: Dictionary(uniqueKeysWithValues: notes))
    try model.write(to: out)
    return options.report(
      "\(choice.architecture.name) to \(counted(schema.columns.count, "column")), levels and numbers in "
        + "\(counted(plan.steps, "step")) each",
      result.plan, spent, fits: fits, bought: bought, isCancelled: result.isCancelled, to: out,
      [
        .init("architecture", .string(choice.architecture.name)),
        .init("columns", .integer(schema.columns.count)),
        .init("parameters", .integer(result.model.params.learnedCount)), .init("schema", schema.json),
      ])
  }
}
