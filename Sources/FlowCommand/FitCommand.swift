import Arguments
import Flows

/// `flow fit`: fits a flow to a file of numbers and writes a model.
enum FitCommand: Subcommand {
  static let name = "fit"
  static let purpose = "Fit a flow to the rows of a file (.csv, .tsv, .npy, .npz)."
  static let operands = ["DATA"]

  static let options: [Arguments.Option] = [
    .init("out", "FILE", "where the model goes (.safetensors); required"),
    .init(
      "architecture", "NAME,...", default: "auto",
      "auto tries a few and mixes them; several names compare them on one split: \(Architecture.names)"),
    .init("columns", "A,B,...", "the columns to fit, for files with a header; the others may hold text"),
    .init("without", "A,B,...", "the columns to leave out, for files with a header: text, labels, constants"),
    .init("context", "A,B,...", "columns to condition on: a density of the others given these"),
    .init("layers", "N", "layers of the flow"),
    .init("hidden", "N,N,...", "widths of each network's hidden layers"),
    .init("bins", "N", "bins of each spline"),
    .init("bound", "X", "where splines end, in standard deviations"),
    .init("components", "N", "components of each mixture"),
    .init("solver-steps", "N", "steps of a continuous flow's solver; it takes half of them in training"),
    .init("max-time", "SECONDS", "about how long to train: a measured rate turns it into steps"),
    .init("steps", "N", "the most steps of one fit; by default 6000"),
    .init("epochs", "N", "passes over the data at most, instead of steps"),
    .init(
      "patience", "N",
      "epochs without a better validation loss after which to stop; by default those of 400 steps"),
    .init("batch-size", "N", "rows a step; by default by the number of rows: 64, 256 or 512"),
    .init("learning-rate", "X", "the rate at the start; it falls to 0 along a cosine; by default 0.002"),
    .init(
      "weight-decay", "X", "the strength of weight decay; by default 0.3, or 10 for auto below 5,000 rows"),
    .init(
      "folds", "N",
      "fits that form the model, each with other rows held out; by default 5 for auto below 20,000 rows, or 1"
    ),
    .init(
      "validation", "X",
      "share of the rows held out to judge each epoch; by default 1/5 with folds, 1/10 without"),
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
    "flow fit data.csv --architecture nsf,maf,spline-mixture --out best.safetensors",
    "flow fit data.csv --context age,sex --out given-age-and-sex.safetensors",
    "flow fit large.npy --max-time 120 --checkpoint run.safetensors --out model.safetensors",
  ]

  static func run(_ arguments: Arguments) async throws -> Report {
    guard let out = try Output.path("out", [".safetensors"], in: arguments) else {
      throw UsageError("--out FILE is required")
    }
    let dtype = try arguments.value("dtype", from: ["float32": DType.float32, "float64": .float64])
    let key = Key(try arguments.seed())
    let checkpoint = try checkpoint(arguments)
    let progress = try arguments.progress()
    // Wrong options are told before a large file is read.
    _ = try Architecture.choices(in: arguments, width: 2, isConditional: true)
    _ = try settings(arguments, rows: Int(Int32.max))

    let path = arguments.operands[0]
    let table = try Table.read(path, choosing: arguments, dtype: dtype)
    let values = table.values
    let choices = try Architecture.choices(
      in: arguments, width: values.shape[1], isConditional: table.context != nil)
    let isStandardized = !arguments.has("no-standardize")
    if isStandardized { try checkSpread(table, path) }
    let given = table.context.map { Given($0.columns, of: $0.values) }
    let context = table.context.flatMap { given?.standardized($0.values) }
    var settings = try settings(arguments, rows: values.rows)
    let candidates = try candidates(
      choices, values, isConditional: context != nil, isStandardized: isStandardized, settings,
      weightDecay: arguments.value("weight-decay").map { _ in settings.weightDecay }, key)
    guard candidates.count == 1 || settings.validationFraction > 0 else {
      throw UsageError("several architectures are compared on held-out rows; --validation must be above 0")
    }
    if let seconds = try arguments.value("max-time").map({ _ in try arguments.number("max-time", in: 1...1e7)
    }) {
      settings.steps = try steps(
        in: seconds, candidates.map(\.candidate), values, context, settings, key)
      settings.epochs = nil
    }
    let (trained, tried) = (settings, candidates.map(\.candidate))
    let combination: Combination = choices == nil ? .stacked : .best
    let selection: Selection
    do {
      selection = try await Interruption.cancels {
        try select(
          among: tried, by: combination, fittedTo: values, given: context, settings: trained, key: key,
          checkpoint: checkpoint,
          progress: progress)
      }
    } catch FlowError.diverged(_, let step, let what, _) {
      throw Failure(
        "\(what) was not finite after \(counted(step, "step")); "
          + "try a --learning-rate below \(settings.learningRate)")
    }
    if selection.isCancelled {
      let hint = checkpoint.map { "; the same command goes on from \($0.path)" } ?? ""
      return Report(text: "interrupted\(hint)", json: ["interrupted": true], code: 130)
    }
    let model = Model(
      architecture: candidates[selection.members[0].candidate].architecture,
      members: selection.members.map { candidates[$0.candidate].settings }, width: values.shape[1],
      isStandardized: isStandardized, columns: table.columns, dtype: dtype,
      params: selection.params, given: given, notes: notes(selection, settings, arguments.text("seed")))
    try model.write(to: out)
    return report(selection, model, values, out)
  }

  /// A candidate with the preset that a model file records.
  private typealias Tried = (
    candidate: Candidate, architecture: Architecture, settings: Architecture.Settings
  )

  private static func candidates(
    _ choices: [Architecture.Choice]?, _ values: Tensor, isConditional: Bool, isStandardized: Bool,
    _ settings: FitSettings, weightDecay: Double?, _ key: Key
  ) throws -> [Tried] {
    let standardizing = isStandardized ? Standardize(of: values) : nil
    if let choices {
      return choices.map { architecture, preset in
        let training = architecture.training?(preset)
        let candidate = Candidate(
          architecture.name, Model.flow(architecture.build(preset), standardizing: standardizing),
          training: training?.flow.map { Model.flow($0, standardizing: standardizing) },
          objective: training?.objective)
        return (candidate, architecture, preset)
      }
    }
    let architecture = Architecture.all[0]
    return try Flow.autoCandidates(
      for: values, isConditional: isConditional, standardizes: isStandardized, settings: settings, key: key
    ).map { candidate in
      var preset = architecture.defaults
      preset.values[.components] = .integer(candidate.components)
      preset.values[.hidden] = .array(candidate.hidden.map(JSON.integer))
      preset.values[.layers] = .integer(candidate.layers)
      let own = candidate.candidate
      return (
        Candidate(own.name, own.flow, weightDecay: weightDecay ?? own.weightDecay), architecture, preset
      )
    }
  }

  /// The settings of the number of rows, with those of the command line in their place.
  private static func settings(_ arguments: Arguments, rows: Int) throws(UsageError) -> FitSettings {
    var settings = FitSettings(rows: rows)
    func given<T>(_ name: String, _ read: (String) throws(UsageError) -> T) throws(UsageError) -> T? {
      arguments.value(name) == nil ? nil : try read(name)
    }
    func count(_ name: String) throws(UsageError) -> Int? {
      try given(name) { name throws(UsageError) in try arguments.integer(name, in: 1...1_000_000_000) }
    }
    func number(_ name: String, _ range: ClosedRange<Double>) throws(UsageError) -> Double? {
      try given(name) { name throws(UsageError) in try arguments.number(name, in: range) }
    }
    let isAuto = arguments.text("architecture") == "auto"
    settings.folds = try count("folds") ?? (isAuto ? settings.folds : 1)
    guard settings.folds <= max(rows, 2) else {
      throw UsageError("expected at most \(rows) --folds, one per row, got \(settings.folds)")
    }
    settings.validationFraction =
      try number("validation", 0...0.9) ?? (settings.folds > 1 ? 1 / Double(settings.folds) : 0.1)
    settings.steps = try count("steps") ?? settings.steps
    settings.epochs = try count("epochs")
    settings.patience = try count("patience")
    settings.batchSize = try count("batch-size") ?? settings.batchSize
    settings.learningRate = try number("learning-rate", 1e-12...1e3) ?? settings.learningRate
    if let decay = try number("weight-decay", 0...1e6) { settings.weightDecay = decay }
    return settings
  }

  /// The steps per fit that take so many seconds in all, by the time of the first candidate's first steps.
  private static func steps(
    in seconds: Double, _ candidates: [Candidate], _ values: Tensor, _ context: Tensor?,
    _ settings: FitSettings, _ key: Key
  ) throws -> Int {
    let trial = min(10 * settings.batchSize, values.rows)
    var short = settings
    (short.epochs, short.validationFraction) = (1, 0)
    let first = candidates[0]
    let objective = first.objective ?? .maximumLikelihood
    func time() throws -> Double {
      let clock = ContinuousClock()
      return try clock.measure {
        _ = try fit(
          first.training ?? first.flow, to: values[0..<trial], given: context?[0..<trial], by: objective,
          key: key, epochs: 1,
          batchSize: settings.batchSize, optimizer: short.optimizer, validationFraction: 0,
          progress: .silent)
      } / .seconds(1)
    }
    // The first run warms up. The second minus the start's share is close to the rate.
    _ = try time()
    let perStep = try time() / Double((trial + settings.batchSize - 1) / settings.batchSize)
    return max(10, Int(seconds / perStep / Double(candidates.count * settings.folds)))
  }

  private static func notes(
    _ selection: Selection, _ settings: FitSettings, _ seed: String
  ) -> [String: String] {
    let tried = JSON.array(selection.trials.map(json))
    return [
      "seed": seed, "steps": "\(settings.steps)", "tried": tried.text,
      "epochs": "\(selection.members.reduce(0) { $0 + $1.fit.history.count })",
      "training_loss": "\(selection.trainingLoss)", "validation_loss": "\(selection.validationLoss)",
    ]
  }

  private static func json(_ trial: Trial) -> JSON {
    [
      "name": .string(trial.name), "folds": .integer(trial.folds), "steps": .integer(trial.steps),
      "validation_log_likelihood": trial.validationLoss.isFinite ? .number(-trial.validationLoss) : .null,
      "weight": .number(trial.weight),
    ]
  }

  private static func report(
    _ selection: Selection, _ model: Model, _ values: Tensor, _ out: String
  ) -> Report {
    let isJudged = selection.validationLoss.isFinite
    let held = isJudged ? ", held-out log-likelihood \(decimals(-selection.validationLoss)) nats per row" : ""
    var lines: [String] = []
    if selection.trials.count > 1 {
      let width = selection.trials.map(\.name.count).max() ?? 0
      lines.append("tried, held-out log-likelihood in nats per row:")
      for trial in selection.trials {
        let name = trial.name + String(repeating: " ", count: width - trial.name.count)
        lines.append(
          "  \(name)  \(decimals(-trial.validationLoss)) in \(counted(trial.steps, "step"))"
            + (trial.weight == 1 ? ", taken" : trial.weight > 0 ? ", weight \(decimals(trial.weight))" : ""))
      }
    }
    let count = selection.members.count
    let members = count > 1 ? ", a mixture of \(count) fits" : ""
    let steps = selection.trials.reduce(0) { $0 + $1.steps }
    lines.append(
      "fitted \(model.architecture.name)\(members) to \(counted(values.rows, "row")) of "
        + "\(counted(values.shape[1], "column")) in \(counted(steps, "step"))\(held)")
    lines.append("wrote \(out)")
    return Report(
      text: lines.joined(separator: "\n"),
      json: [
        "model": .string(out), "architecture": .string(model.architecture.name),
        "members": .integer(count), "rows": .integer(values.rows),
        "columns": .integer(values.shape[1]), "parameters": .integer(selection.params.learnedCount),
        "epochs": .integer(selection.members.reduce(0) { $0 + $1.fit.history.count }),
        "steps": .integer(steps), "best_epoch": .integer(selection.members[0].fit.bestRecord.index + 1),
        "training_log_likelihood": .number(-selection.trainingLoss),
        "validation_log_likelihood": isJudged ? .number(-selection.validationLoss) : .null,
        "tried": .array(selection.trials.map(json)),
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
