import Arguments
import FittedModels
import Flows

/// `flow finetune`: fits a model of single draws to observables of whole histories.
enum FineTuneCommand: Subcommand {
  static let name = "finetune"
  static let purpose =
    "Fit a model of a simulator's draws to data that only whole histories show, by weights."
  static let operands = ["MODEL", "EMISSIONS..."]

  private static let ownOptions: [Arguments.Option] = [
    .init("out", "FILE", "where the new model goes (.safetensors); required"),
    .init("observables", "FILE", "one row per history, with its number and its observables; required"),
    .init("to", "FILE", "the measured data, with observables of the same names; required"),
    .init("history", "NAME", default: "history", "the column with the history's number in both files"),
    .init("observe", "A,B,...", "the observables to fit; by default all that both files have"),
    .init(
      "loss", "NAME", default: "chi-squared",
      "chi-squared or cross-entropy of a histogram of each observable; wasserstein or energy without bins"),
    .init(
      "bins", "N",
      "bins of equal content per histogram; by default unit bins for whole numbers, up to 20 for others"),
    .init("penalty", "X", default: "0", "the weight of the divergence from MODEL in the loss"),
    .init("steps", "N", default: "100", "the most steps"),
    .init(
      "learning-rate", "X", default: "0.0005", "the rate of the first step; it falls to 0 along a cosine"),
    .progress,
  ]

  static let options = ownOptions + TableFile.options

  static let examples = [
    "flow finetune model.safetensors emissions.csv --observables events.csv --to data.csv "
      + "--out tuned.safetensors",
    "flow finetune model.safetensors emissions.npy --history '#1' --observables events.npy --observe '#2' "
      + "--to data.npy --loss wasserstein --out tuned.safetensors",
  ]

  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report {
    guard let out = try Output.path("out", [".safetensors"], in: arguments) else {
      throw UsageError("--out FILE is required")
    }
    guard let observables = arguments.value("observables") else {
      throw UsageError("--observables FILE is required")
    }
    guard let target = arguments.value("to") else { throw UsageError("--to FILE is required") }
    let penalty = try arguments.number("penalty", in: 0...1e6)
    let steps = try arguments.integer("steps", in: 1...1_000_000)
    let rate = try arguments.number("learning-rate", in: 1e-12...1e3)
    let progress = try arguments.progress()
    _ = try MeasuredTable.Loss(arguments)

    let path = arguments.operands[0]
    let content = try SafeTensors.read(path)
    guard try MixedModel.read(content, from: path) == nil else {
      throw UsageError("flow finetune is for models of numbers alone")
    }
    let model = try Model.read(content, from: path)
    let measured = try MeasuredTable(observables, target, arguments, noting: notices)
    let histories = try measured.histories(
      of: model, Array(arguments.operands.dropFirst()), arguments, noting: notices)
    let distribution = Selection.mixture(of: model.flows, weights: model.members.map { _ in 1 })
    let (params, data) = (try model.innerParams(), measured.data)
    let tuned = try await Interruption.cancels {
      try fineTune(
        distribution, params, histories: histories, to: data, penalty: penalty, steps: steps,
        optimizer: Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(rate, steps: steps))),
        progress: progress)
    }
    try model.withInner(tuned.params, notes: ["fine_tuned_from": path]).write(to: out)
    return report(tuned.report, out, notices)
  }

  private static func report(_ report: FineTuned.Report, _ out: String, _ notices: Notices) -> Report {
    let round = report.rounds[0]
    for warning in report.warnings where report.ending != .needsSimulation || !warning.contains("simulate") {
      notices.warn(warning)
    }
    var lines = zip(round.before, round.after).map { before, after in
      let degrees = after.degrees.map { " (\($0) degrees of freedom)" } ?? ""
      let (a, b) = (before.reducedChiSquared ?? before.loss, after.reducedChiSquared ?? after.loss)
      return "\(after.name): \(decimals(a)) -> \(decimals(b))\(degrees)"
    }
    lines.append(
      "\(counted(round.steps, "step")), effective sample \(decimals(round.effectiveSampleSize)) of "
        + "\(round.histories) histories, k-hat \(decimals(round.paretoK)), divergence from the start "
        + "\(decimals(round.klFromStart)) nats per history")
    lines.append("wrote \(out)")
    let isCancelled = report.ending == .cancelled
    if isCancelled {
      lines.append("interrupted: this is the model so far")
    } else if report.ending == .needsSimulation {
      lines.append(
        "the effective sample fell to half before the fit was done: simulate histories with \(out) and run "
          + "flow finetune \(out) on them")
    } else {
      lines.append(
        "simulate histories with \(out) to check it: the weighted ones are those that it was fitted to")
    }
    var json: [JSON.Member] = [
      .init("before", .array(round.before.map(FineTuneCommand.json))),
      .init("after", .array(round.after.map(FineTuneCommand.json))),
      .init("steps", .integer(round.steps)), .init("histories", .integer(round.histories)),
      .init("effective_sample_size", .number(round.effectiveSampleSize)),
      .init("pareto_k", .number(round.paretoK)), .init("kl_from_start", .number(round.klFromStart)),
      .init("settled", .bool(round.isSettled)),
      .init("needs_simulation", .bool(report.ending == .needsSimulation)), .init("model", .string(out)),
    ]
    if isCancelled { json.append(.init("interrupted", true)) }
    return Report(text: lines.joined(separator: "\n"), json: .object(json), code: isCancelled ? 130 : 0)
  }

  private static func json(_ comparison: DataComparison) -> JSON {
    [
      "name": .string(comparison.name), "loss": .number(comparison.loss),
      "chi2_per_degree": comparison.reducedChiSquared.map(JSON.number) ?? .null,
      "degrees": comparison.degrees.map(JSON.integer) ?? .null,
      "unreachable": .number(comparison.unreachable),
    ]
  }
}

extension Model {
  /// The model with other parameters for standardized rows.
  fileprivate func withInner(_ params: Params, notes: [String: String]) throws -> Model {
    var own = params
    if let scales {
      own = try Model.replacing(
        params, count: members.count, isStandardized, mean: Tensor(scales.mean, dtype: dtype),
        deviation: Tensor(scales.deviation, dtype: dtype))
    }
    // The rest of the file's metadata, but for losses of the old parameters and the tree's own entry.
    let stale = ["frozen", "training_loss", "validation_loss"]
    return Model(
      architecture: architecture, members: members, width: width, isStandardized: isStandardized,
      columns: columns, dtype: dtype, params: own, given: given, scales: scales,
      notes: self.notes.filter { !stale.contains($0.key) }.merging(notes) { $1 })
  }
}
