import Arguments
import FittedModels
import Flows

/// `flow fit` of a file that stays on the disk: the fit of its rows in memory, to the bit.
enum MappedFit {
  /// The options that a fit is given.
  struct Options: Sendable {
    let out: String
    let key: Key
    let engine: Engine
    let checkpoint: Checkpoint?
    let progress: ProgressOutput
    let start: ContinuousClock.Instant
  }

  /// Fits, writes the model and reports.
  static func run(
    _ file: MappedTable, _ arguments: Arguments, _ options: Options, _ notices: Notices
  ) async throws -> Report {
    let isStandardized = !arguments.has("no-standardize")
    let table = try file.standardized(isStandardized)
    let (rows, width, key) = (table.shape[0], table.shape[1], options.key)
    let sample = try table.sample(atMost: max(100, min(20_000, (1 << 22) / width)))
    sample.warnOfUnsuitableData(sample.discrete(), table.scales, notices)
    let choices = try Architecture.choices(in: arguments, width: width, isConditional: false)
    var settings = try FitCommand.settings(arguments, rows: rows)
    let candidates = try FitCommand.candidates(
      choices, table, nil, isStandardized: isStandardized, settings,
      weightDecay: arguments.value("weight-decay").map { _ in settings.weightDecay },
      hasRate: arguments.value("learning-rate") != nil, key)
    try FitCommand.checkComparable(candidates.count, rows: rows, settings)
    if let end = try FitCommand.end(arguments, from: options.start) {
      let few = try table.rows(Array(0..<min(10 * settings.batchSize, rows)))
      let steps = try FitCommand.steps(
        until: end, candidates.map(\.candidate), few, nil, settings, key, on: options.engine)
      settings.steps = try Ranks.current?.agreed(steps) ?? steps
      settings.epochs = nil
    }
    let selection = try await FitCommand.selection(
      among: candidates, by: choices == nil ? .stacked : .best, fittedTo: table, given: nil, settings,
      options)
    let fitted = FittedTable(selection: selection, isAuto: choices == nil, scales: table.scales)
    let model = Model(
      architecture: candidates[selection.members[0].candidate].architecture,
      members: selection.members.map { candidates[$0.candidate].settings }, width: width,
      isStandardized: isStandardized, columns: nil, dtype: table.dtype,
      params: try FitCommand.params(of: selection, table.scales, isStandardized), scales: table.scales,
      notes: FitCommand.notes(fitted, settings, arguments.text("seed")))
    guard Ranks.isFirst else { return Report(text: "", json: .null, code: selection.isCancelled ? 130 : 0) }
    try model.write(to: options.out)
    return try FitCommand.drawing(
      selection.learningCurve,
      in: fitted.report(model, table, nil, options.out, options.checkpoint, notices), arguments)
  }
}
