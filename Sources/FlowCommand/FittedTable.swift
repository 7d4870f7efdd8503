import FittedModels
import Flows

/// The result of a fit to a table, with likelihoods in the data's units.
struct FittedTable {
  let selection: Selection
  /// Whether the candidates are those of auto.
  private let isAuto: Bool
  private var heldOutShift, trainingShift: Double

  /// Computes the mean log|det J| of the scales. It turns likelihoods of standardized rows into those of the
  /// data.
  init(selection: Selection, isAuto: Bool, table: Table, scales: Scales?) {
    self.init(selection: selection, isAuto: isAuto, scales: scales)
    guard let scales, scales.logs.contains(true) else { return }
    let shifts = scales.logDet(table.values)
    let heldOut = selection.heldOut.flatMap { $0 }
    trainingShift = shifts.mean().item
    heldOutShift = heldOut.isEmpty ? trainingShift : shifts.rows(heldOut).mean().item
  }

  /// The same for scales without logs, whose log|det J| is one number.
  init(selection: Selection, isAuto: Bool, scales: Scales?) {
    (self.selection, self.isAuto) = (selection, isAuto)
    let shift = scales.map { $0.logDet(.zeros([1, $0.mean.count], dtype: .float64)).item } ?? 0
    (heldOutShift, trainingShift) = (shift, shift)
  }

  var trainingLikelihood: Double { trainingShift - selection.trainingLoss }
  /// Minus infinity where nothing was held out.
  var heldOutLikelihood: Double { heldOutShift - selection.validationLoss }
  var epochs: Int { selection.members.reduce(0) { $0 + $1.fit.history.count } }
  private var steps: Int { selection.trials.reduce(0) { $0 + $1.steps } }

  private func likelihood(_ trial: Trial) -> Double { heldOutShift - trial.validationLoss }

  /// The candidates that were tried.
  var trials: JSON {
    .array(
      selection.trials.map { trial in
        [
          "name": .string(trial.name), "folds": .integer(trial.folds), "steps": .integer(trial.steps),
          "validation_log_likelihood": .number(likelihood(trial)), "weight": .number(trial.weight),
        ]
      })
  }

  /// The report of the fit. It warns of a flow that is worse than a normal distribution.
  func report(
    _ model: Model, _ values: some RowSource, _ context: Tensor?, _ out: String, _ checkpoint: Checkpoint?,
    _ notices: Notices
  ) throws -> Report {
    let rows = values.shape[0]
    let gaussian = try selection.gaussianLoss(of: values, given: context).map { heldOutShift - $0 }
    if let gaussian, heldOutLikelihood < gaussian - 1e-3 {
      notices.warn(
        "a normal distribution has a better held-out log-likelihood than the flow"
          + (isAuto
            ? "; columns may be almost functions of others: leave these out by --without"
            : "; train longer, or take --architecture auto"))
    }
    if model.architecture.isContinuous {
      let some = 0..<min(rows, 100)
      let shown = try values.rows(Array(some))
      let error =
        try zip(model.flows, selection.members).map { flow, member in
          let (_, forward, inverse) = try flow.bijection(
            Key(0), inputDim: values.shape.sample, contextDim: model.contextDim, dtype: values.dtype)
          return try roundTripError(
            member.fit.params.child("bijection"), forward, inverse, shown, context?[some])
        }.max() ?? 0
      if error > mostRoundTripError {
        notices.warn(
          "rows come back from the latents \(decimals(error)) off: the solver's steps are too long for a "
            + "density; take more --solver-steps")
      }
    }
    var lines = selection.trials.count > 1 ? trialLines : []
    let count = selection.members.count
    let members = count > 1 ? ", a mixture of \(count) fits" : ""
    let held =
      heldOutLikelihood.isFinite
      ? ", held-out log-likelihood \(decimals(heldOutLikelihood)) nats per row"
        + (gaussian.map { "; a normal distribution's is \(decimals($0))" } ?? "") : ""
    lines.append(
      "fitted \(model.architecture.name)\(members) to \(counted(rows, "row")) of "
        + "\(counted(values.shape[1], "column")) in \(counted(steps, "step"))\(held)")
    if selection.isCancelled {
      let hint = checkpoint.map { "; the same command goes on from \($0.path)" } ?? ""
      lines.append("interrupted: this is the best model so far\(hint)")
    }
    lines.append("wrote \(out)")
    var json: [JSON.Member] = [
      .init("model", .string(out)), .init("architecture", .string(model.architecture.name)),
      .init("members", .integer(count)), .init("rows", .integer(rows)),
      .init("columns", .integer(values.shape[1])),
      .init("parameters", .integer(selection.params.learnedCount)), .init("epochs", .integer(epochs)),
      .init("steps", .integer(steps)),
      .init("best_epoch", .integer(selection.members[0].fit.history.isEmpty ? 0 : bestEpoch)),
      .init("training_log_likelihood", .number(trainingLikelihood)),
      .init("validation_log_likelihood", .number(heldOutLikelihood)),
      .init("gaussian_log_likelihood", gaussian.map(JSON.number) ?? .null), .init("tried", trials),
    ]
    if selection.isCancelled { json.append(.init("interrupted", true)) }
    return Report(
      text: lines.joined(separator: "\n"), json: .object(json), code: selection.isCancelled ? 130 : 0)
  }

  private var bestEpoch: Int { selection.members[0].fit.bestRecord.index + 1 }

  private var trialLines: [String] {
    let width = selection.trials.map(\.name.count).max() ?? 0
    return ["tried, held-out log-likelihood in nats per row:"]
      + selection.trials.map { trial in
        let name = trial.name + String(repeating: " ", count: width - trial.name.count)
        if trial.hasDiverged { return "  \(name)  diverged" }
        if trial.steps == 0 { return "  \(name)  not tried" }
        return "  \(name)  \(decimals(likelihood(trial))) in \(counted(trial.steps, "step"))"
          + (trial.weight == 1 ? ", taken" : trial.weight > 0 ? ", weight \(decimals(trial.weight))" : "")
      }
  }
}
