import Arguments
import FittedModels
import Flows

/// `flow fit`: fits a flow to a file of numbers and writes a model.
enum FitCommand: Subcommand {
  static let name = "fit"
  static let purpose = "Fit a flow to the rows of files (.csv, .tsv, .gz, .npy, .npz, or - for input)."
  static let details = """
    One .npy file of float32 or float64 in C order stays on the disk, and may be larger than memory. With \
    --columns, --without, --context, --log or --type continuous it is read into memory.

    Under mpirun or srun the ranks share the fit of such a file, in a build with --traits MPI.
    """
  static let operands = ["DATA..."]

  private static let ownOptions: [Arguments.Option] = [
    .init("out", "FILE", "where the model goes (.safetensors); required"),
    .init(
      "architecture", "NAME,...", default: "auto",
      "auto tries a few and mixes them; several names compare them on one split: \(Architecture.names)"),
    .init("columns", "A,B,...", "the columns to fit, by name or as #1, #2, ...; the others may hold text"),
    .init("without", "A,B,...", "the columns to leave out: text, labels, constants"),
    .init("context", "A,B,...", "columns to condition on: a density of the others given these"),
    .init("layers", "N", "layers of the flow"),
    .init("hidden", "N,N,...", "widths of each network's hidden layers"),
    .init("bins", "N", "bins of each spline"),
    .init("bound", "X", "where splines end, in standard deviations"),
    .init("components", "N", "components of each mixture"),
    .init("regression", "yes|no", "whether spline-mixture starts at a linear regression on the context"),
    .init("tails", "X", "degrees of freedom of the heavy tails of spline-mixture; by default 4"),
    .init("prior", "NAME", "the latents' distribution: normal, student, logistic or laplace"),
    .init(
      "solver-steps", "N",
      "steps of a continuous flow's solver; ot-flow and cnf take half of them in training"),
    .init("max-time", "SECONDS", "about how long to train: a measured rate turns it into steps"),
    .init("steps", "N", "the most steps of one fit, in whole passes, at least one; by default 6000"),
    .init("epochs", "N", "passes over the data at most, instead of steps"),
    .init(
      "patience", "N",
      "epochs without a better validation loss after which to stop; by default those of 400 steps"),
    .init("batch-size", "N", "rows a step; by default by the number of rows: 64, 256 or 512"),
    .init(
      "learning-rate", "X",
      "the rate at the start; it falls to 0 along a cosine; by default 0.002, or 0.02 for ot-flow and 0.005 "
        + "for cnf and flow-matching"),
    .init(
      "weight-decay", "X",
      "the strength of weight decay; by default 0.3, or 10 for auto below 5,000 rows without --context"),
    .init(
      "folds", "N",
      "fits that form the model, each with other rows held out; by default 5 for auto below 20,000 rows, or 1"
    ),
    .init(
      "validation", "X",
      "share of the rows held out to judge each epoch; by default 1/N with N folds, 1/10 without"),
    .seed, .device,
    .init("dtype", "NAME", default: "float32", "float32 or float64"),
    .init(
      "type", "A:KIND,...",
      "kinds of columns: continuous, integer, categorical, boolean, date or constant; continuous alone: a "
        + "density of all columns"),
    .init(
      "bounds", "A:LOW:HIGH,...",
      "bounds of columns of numbers, such as age:17:90; one may be empty; private: age alone buys them"),
    .init("missing", "NAME", "missing values: model learns them, drop leaves rows out, or error"),
    .init(flag: "standardize", "bring each column to mean 0 and deviation 1 in training, as by default"),
    .init(flag: "no-standardize", "take the columns as they are"),
    .init("log", "A,B,...", "columns of positive numbers whose logs are modelled, such as prices"),
    picture,
    .init("checkpoint", "FILE", "keep the run's state here, and go on from it after an interruption"),
    .init("checkpoint-steps", "N", "write it every N steps instead of every 5 minutes"),
    .init(
      "rank-timeout", "SECONDS", default: "300",
      "on several ranks by mpirun: how long a rank waits for another before all end"),
    .progress,
  ]

  static let options = ownOptions + PrivateOptions.options + TableFile.options

  static let examples = [
    "flow fit data.csv --out model.safetensors",
    "flow fit data.csv --columns height,weight --architecture maf --hidden 128,128 --out model.safetensors",
    "flow fit data.csv --architecture nsf,maf,spline-mixture --out best.safetensors",
    "flow fit data.csv --context age,sex --out given-age-and-sex.safetensors",
    "flow fit people.csv --type zip:categorical --bounds age:17:90 --out people.safetensors",
    "flow fit january.csv february.csv.gz --log price --out model.safetensors",
    "flow fit people.csv --private --epsilon 3 --delta 1e-6 --bounds age:17:90,income:0:200000 "
      + "--sampling-rate 0.01 --expected-batch 200 --steps 2000 --out private.safetensors",
    "flow fit large.npy --device pjrt:/opt/xla_cuda_plugin.so --out model.safetensors",
    "flow fit large.npy --batch-size 4096 --checkpoint run.safetensors --out model.safetensors",
    "flow fit large.npy --max-time 120 --checkpoint run.safetensors --out model.safetensors",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    guard let out = try Output.path("out", [".safetensors"], in: arguments) else {
      throw UsageError("--out FILE is required")
    }
    let dtype = try arguments.value("dtype", from: ["float32": DType.float32, "float64": .float64])
    let key = Key(try arguments.seed())
    let start = ContinuousClock.now
    let checkpoint = try checkpoint(arguments)
    if checkpoint?.path == out { throw UsageError("--checkpoint and --out are the same file, \(out)") }
    let progress = try arguments.progress()
    _ = try Output.path("picture", [".svg"], in: arguments)
    if arguments.has("standardize"), arguments.has("no-standardize") {
      throw UsageError("--standardize and --no-standardize do not go together")
    }
    if arguments.has("private") {
      try arguments.requireNoDevice(for: "a private fit")
      if RankedFit.isAsked { try RankedFit.refuse("a private fit runs in one process") }
      return try await PrivateFitting.run(arguments, to: out, checkpoint: checkpoint, noting: notices)
    }
    if let option = PrivateOptions.options.first(where: {
      !["clip", "points", "bounds-share"].contains($0.name) && arguments.value($0.name) != nil
    }) {
      throw UsageError("--\(option.name) needs --private")
    }
    // Wrong options are told before a large file is read.
    _ = try Architecture.choices(in: arguments, width: 2, isConditional: true)
    _ = try settings(arguments, rows: Int(Int32.max))

    // A plugin that is not there is told before, too.
    let engine = try arguments.device().map { Engine.pjrt($0) } ?? .cpu
    let options = MappedFit.Options(
      out: out, key: key, engine: engine, checkpoint: checkpoint, progress: progress, start: start)
    if RankedFit.isAsked { return try await RankedFit.run(arguments, dtype, options, notices) }
    if let mapped = MappedTable(arguments, dtype) {
      return try await MappedFit.run(mapped, arguments, options, notices)
    }
    let choice = try Table.choose(arguments, noting: notices)
    let table: Table
    if try MixedFit.isAsked(by: arguments) {
      try arguments.requireNoDevice(for: "mixed columns")
      let mixed = try MixedFit(choice, arguments, noting: notices)
      return try await mixed.run(out, dtype, key, checkpoint, progress, notices, from: start)
    }
    do { table = try Table(choice) } catch {
      guard let mixed = try MixedFit(choice, arguments, insteadOf: error, noting: notices) else {
        throw error
      }
      try arguments.requireNoDevice(for: "mixed columns")
      return try await mixed.run(out, dtype, key, checkpoint, progress, notices, from: start)
    }
    let discrete = table.discrete()
    if !discrete.isEmpty, MixedFit.suits(choice, arguments) {
      try arguments.requireNoDevice(for: "mixed columns (--type continuous fits a density of all)")
      let mixed = try MixedFit(choice, arguments, isInferred: true, noting: notices)
      return try await mixed.run(out, dtype, key, checkpoint, progress, notices, from: start)
    }
    let isStandardized = !arguments.has("no-standardize")
    let scales = try table.scales(isStandardized: isStandardized, arguments)
    let values = try table.rows(scales, dtype)
    if scales == nil { try table.checkDistinct(values) }
    let choices = try Architecture.choices(
      in: arguments, width: values.shape[1], isConditional: table.context != nil)
    let given = table.context.map { Given($0.columns, of: $0.values) }
    let context = try given.flatMap { given in
      try table.context.map { try given.standardized($0.values, dtype) }
    }
    table.warnOfUnsuitableData(discrete, scales, notices)
    var settings = try settings(arguments, rows: values.rows)
    let candidates = try candidates(
      choices, values, context, isStandardized: isStandardized, settings,
      weightDecay: arguments.value("weight-decay").map { _ in settings.weightDecay },
      hasRate: arguments.value("learning-rate") != nil, key)
    try checkComparable(candidates.count, rows: values.rows, settings)
    if let end = try end(arguments, from: start) {
      let few = 0..<min(10 * settings.batchSize, values.rows)
      settings.steps = try steps(
        until: end, candidates.map(\.candidate), values[few], context?[few], settings, key, on: engine)
      settings.epochs = nil
    }
    let selection = try await selection(
      among: candidates, by: choices == nil ? .stacked : .best, fittedTo: values, given: context, settings,
      options)
    let fitted = FittedTable(selection: selection, isAuto: choices == nil, table: table, scales: scales)
    let model = Model(
      architecture: candidates[selection.members[0].candidate].architecture,
      members: selection.members.map { candidates[$0.candidate].settings }, width: values.shape[1],
      isStandardized: isStandardized, columns: table.columns, dtype: dtype,
      params: try params(of: selection, scales, isStandardized), given: given, scales: scales,
      notes: notes(fitted, settings, arguments.text("seed")))
    try model.write(to: out)
    return try drawing(
      selection.learningCurve, in: fitted.report(model, values, context, out, checkpoint, notices), arguments)
  }

  /// Fits the candidates and chooses among them. Ctrl-C ends it with the best model so far.
  static func selection(
    among candidates: [Tried], by combination: Combination, fittedTo rows: some RowSource,
    given context: Tensor?, _ settings: FitSettings, _ options: MappedFit.Options
  ) async throws -> Selection {
    let tried = candidates.map(\.candidate)
    do {
      return try await Interruption.cancels {
        try select(
          among: tried, by: combination, fittedTo: rows, given: context, settings: settings, key: options.key,
          on: options.engine, checkpoint: options.checkpoint, progress: options.progress)
      }
    } catch { throw advised(error, settings) }
  }

  /// Throws if several flows would be compared on no rows.
  static func checkComparable(_ flows: Int, rows: Int, _ settings: FitSettings) throws(UsageError) {
    guard flows == 1 || (Double(rows) * settings.validationFraction).rounded() > 0 else {
      throw UsageError(
        "several flows are compared on held-out rows; of \(counted(rows, "row")) a share of "
          + "\(decimals(settings.validationFraction)) holds out none; take a larger --validation")
    }
  }

  /// An error of a fit, with advice if the fit diverged.
  static func advised(_ error: any Error, _ settings: FitSettings) -> any Error {
    guard case FlowError.diverged(_, let step, let what, _) = error else { return error }
    return Failure(
      "\(what) was not finite after \(counted(step, "step")); "
        + "try a --learning-rate below \(settings.learningRate)")
  }

  /// The parameters in the data's units: the fitted ones, with the standardization of the data.
  static func params(
    of selection: Selection, _ scales: Scales?, _ isStandardized: Bool
  ) throws -> Params {
    guard let scales, isStandardized else { return selection.params }
    let dtype = selection.params.leaves.first { $0.dtype.isFloatingPoint }?.dtype ?? .float32
    return try Model.replacing(
      selection.params, count: selection.members.count, true, mean: Tensor(scales.mean, dtype: dtype),
      deviation: Tensor(scales.deviation, dtype: dtype))
  }

  /// A candidate with the preset that a model file records.
  typealias Tried = (
    candidate: Candidate, architecture: Architecture, settings: Architecture.Settings
  )

  static func candidates(
    _ choices: [Architecture.Choice]?, _ values: some RowSource, _ context: Tensor?, isStandardized: Bool,
    _ settings: FitSettings, weightDecay: Double?, hasRate: Bool, _ key: Key
  ) throws -> [Tried] {
    // The rows are standardized already. The layer keeps the place of their mean and deviation.
    let width = values.shape[1]
    let standardizing =
      isStandardized ? Standardize(mean: .zeros([width]), deviation: .ones([width])) : nil
    if let choices {
      return choices.map { architecture, preset in
        (architecture.candidate(preset, standardizing: standardizing, hasRate: hasRate), architecture, preset)
      }
    }
    let architecture = Architecture.named("spline-mixture")!
    return try Flow.autoCandidates(
      for: values, given: context, standardizes: false, settings: settings, key: key
    ).map { candidate in
      var preset = architecture.defaults
      preset.values[.components] = .integer(candidate.components)
      preset.values[.hidden] = .array(candidate.hidden.map(JSON.integer))
      preset.values[.layers] = .integer(candidate.layers)
      preset.values[.regression] = .bool(candidate.regression)
      let own = candidate.candidate
      return (
        Candidate(
          own.name, Model.flow(own.flow, standardizing: standardizing),
          weightDecay: weightDecay ?? own.weightDecay), architecture, preset
      )
    }
  }

  /// The settings of the number of rows, with those of the command line in their place.
  static func settings(_ arguments: Arguments, rows: Int) throws(UsageError) -> FitSettings {
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
    let lengths = ["steps", "epochs", "max-time"].filter { arguments.value($0) != nil }
    if lengths.count > 1 {
      throw UsageError("--\(lengths[0]) does not go with --\(lengths[1]): both say how long to train")
    }
    let isAuto = arguments.text("architecture") == "auto"
    settings.folds = try count("folds") ?? (isAuto ? settings.folds : 1)
    guard settings.folds <= max(rows, 2) else {
      throw UsageError("expected at most \(rows) --folds, one per row, got \(settings.folds)")
    }
    settings.validationFraction =
      try number("validation", 0...0.9) ?? (settings.folds > 1 ? 1 / Double(settings.folds) : 0.1)
    guard Double(settings.folds) * settings.validationFraction < 1 + 1e-9 || settings.folds == 1 else {
      throw UsageError(
        "--folds \(settings.folds) hold out different rows, so --validation is at most 1/\(settings.folds)")
    }
    settings.steps = try count("steps") ?? settings.steps
    settings.epochs = try count("epochs")
    settings.patience = try count("patience")
    settings.batchSize = try count("batch-size") ?? settings.batchSize
    settings.learningRate = try number("learning-rate", 1e-12...1e3) ?? settings.learningRate
    if let decay = try number("weight-decay", 0...1e6) { settings.weightDecay = decay }
    return settings
  }

  /// The instant at which training ends by `--max-time`; nil without it.
  static func end(
    _ arguments: Arguments, from start: ContinuousClock.Instant
  ) throws(UsageError) -> ContinuousClock.Instant? {
    guard arguments.value("max-time") != nil else { return nil }
    return start + .seconds(try arguments.number("max-time", in: 1...1e7))
  }

  /// The settings of a short run whose time is taken.
  static func short(_ settings: FitSettings) -> FitSettings {
    var short = settings
    (short.epochs, short.folds, short.validationFraction) = (1, 1, 0)
    return short
  }

  /// The steps per fit of each candidate that end at an instant, by the time of short fits of the first.
  static func steps(
    until end: ContinuousClock.Instant, _ candidates: [Candidate], _ rows: Tensor, _ context: Tensor?,
    _ settings: FitSettings, _ key: Key, on engine: Engine
  ) throws -> Int {
    let (first, size, optimizer) = (candidates[0], settings.batchSize, short(settings).optimizer)
    let objective = first.objective ?? .maximumLikelihood
    return try steps(until: end, fits: candidates.count * settings.folds, rows: rows.rows, size) {
      _ = try fit(
        first.training ?? first.flow, to: rows, given: context, by: objective, key: key, epochs: $0,
        batchSize: size, optimizer: optimizer, validationFraction: 0, on: engine, progress: .silent)
    }
  }

  /// The steps per fit that end at an instant, by the time of short runs on some rows.
  ///
  /// - Parameter run: fits once, with so many epochs.
  static func steps(
    until end: ContinuousClock.Instant, fits: Int, rows: Int, _ batchSize: Int,
    _ run: (_ epochs: Int) throws -> Void
  ) throws -> Int {
    func time(epochs: Int) throws -> Double {
      let clock = ContinuousClock()
      return try clock.measure { try run(epochs) } / .seconds(1)
    }
    // The first run warms up. A longer one tells the time of a step from that of a start.
    _ = try time(epochs: 1)
    let (one, three) = (try time(epochs: 1), try time(epochs: 3))
    let pass = max((three - one) / 2, one / 10)
    let seconds = (end - .now) / .seconds(1) - Double(fits) * max(one - pass, 0)
    let steps = Double((rows + batchSize - 1) / batchSize)
    return max(10, Int(seconds / Double(fits) / pass * steps))
  }

  static func notes(
    _ fitted: FittedTable, _ settings: FitSettings, _ seed: String
  ) -> [String: String] {
    [
      "seed": seed, "steps": "\(settings.steps)", "tried": fitted.trials.text,
      "epochs": "\(fitted.epochs)",
      "training_loss": fitted.trainingLikelihood.isNaN ? "unknown" : "\(-fitted.trainingLikelihood)",
      "validation_loss": "\(-fitted.heldOutLikelihood)",
    ]
  }

  private static func checkpoint(_ arguments: Arguments) throws(UsageError) -> Checkpoint? {
    let path = arguments.value("checkpoint")
    guard arguments.value("checkpoint-steps") != nil else { return path.map { Checkpoint($0) } }
    guard let path else { throw UsageError("--checkpoint-steps needs --checkpoint FILE") }
    return Checkpoint(path, every: .steps(try arguments.integer("checkpoint-steps", in: 1...1_000_000_000)))
  }
}
