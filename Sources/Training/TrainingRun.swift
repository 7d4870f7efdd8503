import Bijections
import Distributions
import Tensors

/// A training run: the one loop of `fit` to data, `fit` to a target and `findLearningRate`.
struct TrainingRun {
  /// The function that errors name.
  let who: String
  let logPDF: LogPDF
  let objective: any Objective
  let optimizer: any Optimizer
  /// The initial parameters, whose frozen leaves are the distribution's own.
  let initial: Params
  /// All steps of the run.
  let steps: Int
  /// Steps per record of the history.
  var length = 1
  /// Records per judgement.
  var interval = 1
  /// The loss that judges parameters, if there is one.
  var heldOutLoss: ((Params) throws -> Tensor)?
  /// Judgements without a better loss after which training ends.
  var patience: Int?
  var keeper: CheckpointKeeper?
  /// Whether the losses and the numbers of rows must not be known, as in a private fit. They are then NaN and
  /// 1, and no error names a row.
  var hidesRows = false
  /// The engine that computes the steps.
  var engine = Engine.cpu
  /// The step whose loss `heldOutLoss` is, for an engine on a device.
  var judged: TrainingStep?
  /// The steps on a device, if they are computed there.
  var device: DeviceRun?
  /// The description that all ranks must share, and the shards of a batch; nil for a run that no ranks share.
  var shared: (description: RunDescription, shards: Int)?
  /// The objective's inputs in the step of an index.
  let source: (_ step: Int) throws -> TrainingStep

  /// Advances the state to the end, and says why it ended.
  func callAsFunction(
    _ state: inout FitState, progress: ProgressOutput, _ text: (FitState) -> String,
    onRecord: (FitState) throws -> Continuation
  ) throws -> Fitted.Ending {
    try beginSharing(state)
    if state.step == 0 { try judgeStart(&state) }
    var (keeper, ending) = (Ranks.isFirst ? keeper : nil, Fitted.Ending.completed)
    if hasStalled(state) { ending = .stoppedEarly }
    var meter = ProgressMeter(Ranks.isFirst ? progress : .silent, total: steps, from: state.step)
    defer { meter.finish() }
    while ending == .completed && state.step < steps {
      if isCancelled {
        ending = .cancelled
        break
      }
      if let device { try device.advance(&state) } else { try advance(&state) }
      meter.report(
        state.step,
        "\(text(state)), loss \(rounded(state.loss)), best \(rounded(state.best?.loss ?? .infinity))")
      let isRecord = state.step % length == 0
      if isRecord {
        if let device { try record(&state, gradientNorm: device.look(&state)) }
        let answer = try onRecord(state)
        state.history[state.history.count - 1].notes = answer.notes
        if try agreed(answer.stops) {
          ending = .stoppedByCallback
        } else if hasStalled(state) {
          ending = .stoppedEarly
        }
      }
      if keeper?.isDue(state) == true {
        _ = try device?.look(&state)
        try keeper?.save(state)
      }
    }
    _ = try device?.look(&state)
    try check(state.params, state, "a parameter")
    try keeper?.save(state)
    return ending
  }

  /// One step: loss and gradient, statistics, the optimizer's update, and the record where it ends one.
  private func advance(_ state: inout FitState) throws {
    let step = try source(state.step)
    if let rows = step.rows { try logPDF.boundary.checkShapes(state.params, rows, given: step.context) }
    let (loss, gradient) = try sharing(state) { try objective.valueAndGradient(at: state.params, step) }
    guard loss.isFinite || hidesRows else {
      try step.checkSupport(state.params, inLayersAlone: state.step > 0)
      throw try diverged(state, "the loss")
    }
    try check(gradient, state, "a gradient")
    state.lastGood = state.params
    if let statistics = logPDF.statistics, step.rows != nil || logPDF.mapping.updatesWithoutRows {
      // In a fit to a target there are no rows. Statistics of the parameters alone move without them.
      let rows = step.rows ?? .zeros(logPDF.boundary.domain.shape.batched(0), dtype: step.dtype)
      state.params = try statistics(
        state.params, rows, step.rows == nil ? step.context?[0..<0] : step.context)
    }
    (state.params, state.optimizer) = try optimizer.update(gradient, state.optimizer, state.params)
    let rows = hidesRows ? 1 : step.rows?.rows ?? 1
    state.step += 1
    state.loss = loss.item
    state.total += loss.item * Double(rows)
    state.rows += rows
    if state.step % length == 0 { try record(&state, gradientNorm: gradient.norm) }
  }

  /// Appends a record to the history, and judges the parameters where it is time to.
  func record(_ state: inout FitState, gradientNorm: Double) throws {
    var record = Fitted.Record(
      index: state.history.count, steps: state.step, trainingLoss: state.total / Double(state.rows),
      isBest: heldOutLoss == nil, gradientNorm: gradientNorm)
    (state.total, state.rows) = (0, 0)
    if (record.index + 1) % interval == 0 { try judge(&state, &record) }
    state.history.append(record)
  }

  /// Judges the parameters before the first step: a start from data may be better than anything after it.
  private func judgeStart(_ state: inout FitState) throws {
    guard let loss = try heldOutLoss?(state.params).item, loss < .infinity else { return }
    state.best = .init(loss: loss, params: state.params, index: -1)
  }

  /// The parameters to judge and to return.
  ///
  /// Statistics of the parameters alone (`ResidualFlow`) are updated: a mean of parameters has others.
  private func evaluated(_ state: FitState) throws -> Params {
    let params = try optimizer.evaluationParams(state.optimizer, state.params)
    guard let statistics = logPDF.statistics, logPDF.mapping.updatesWithoutRows else { return params }
    let boundary = logPDF.boundary
    func empty(_ shape: Shape) -> Tensor { .zeros(shape.batched(0), dtype: boundary.dtype) }
    return try statistics(params, empty(boundary.domain.shape), boundary.contextDim.map(empty))
  }

  private func judge(_ state: inout FitState, _ record: inout Fitted.Record) throws {
    try check(state.params, state, "a parameter")
    let recent = state.history.suffix(interval - 1).map(\.trainingLoss) + [record.trainingLoss]
    var loss = recent.reduce(0, +) / Double(recent.count)
    if let heldOutLoss {
      let judged = try evaluated(state)
      loss = try heldOutLoss(judged).item
      if loss.isNaN { throw try diverged(state, "the validation loss") }
      record.validationLoss = loss
      // An infinite loss is only worse: a held-out row may lie where the model puts nothing yet.
      record.isBest = loss < state.best?.loss ?? .infinity
      if record.isBest { state.best = .init(loss: loss, params: judged, index: record.index) }
    }
    state.optimizer = try optimizer.observing(loss, state.optimizer)
  }

  /// Whether the validation loss has not improved for too long.
  private func hasStalled(_ state: FitState) -> Bool {
    guard heldOutLoss != nil, let patience, !state.history.isEmpty else { return false }
    return (state.history.count - 1 - (state.best?.index ?? -1)) / interval >= patience
  }

  /// Throws `FlowError.diverged` where a learned number is NaN or infinite.
  private func check(_ tree: Params, _ state: FitState, _ what: String) throws {
    // 0 times any other number is NaN.
    if tree.learnedLeaves.contains(where: { ($0 * 0).sum().item != 0 }) { throw try diverged(state, what) }
  }

  func diverged(_ state: FitState, _ what: String) throws -> FlowError {
    .diverged(
      who: who, step: state.step, what: what, lastGood: try state.lastGood.withFrozenLeaves(of: initial))
  }
}

extension TrainingRun {
  /// The whole fit, to the result.
  ///
  /// - Parameters:
  ///   - fresh: the state before the first step.
  ///   - earlier: the state of an earlier run to go on from. The checkpoint's is taken where there is one.
  ///   - functions: the functions to give back.
  func fitted(
    from fresh: FitState, or earlier: FitState?, _ functions: (logPDF: LogPDF, sample: Sampler),
    progress: ProgressOutput, _ text: (FitState) -> String, onRecord: (FitState) throws -> Continuation
  ) throws -> Fitted {
    var state = earlier ?? fresh
    // This run chooses the frozen leaves. The optimizer refuses a state that was made for another choice.
    state.params = try state.params.withFrozenLeaves(of: fresh.params)
    state = try savedState(like: fresh) ?? state
    try logPDF.boundary.check(state.params)
    var run = self
    if let device = engine.device {
      let steps = try DeviceRun(self, state, on: device)
      run.device = steps
      run.heldOutLoss = try steps.heldOutLoss() ?? heldOutLoss
    }
    let ending = try run(&state, progress: progress, text, onRecord: onRecord)
    let last = try evaluated(state)
    // The initial parameters count where others were judged too.
    let isJudged = state.history.contains { $0.validationLoss != nil }
    return Fitted(
      params: try (isJudged ? state.best?.params ?? last : last).withFrozenLeaves(of: initial),
      logPDF: functions.logPDF,
      sample: functions.sample, ending: ending, state: state)
  }
}

/// Three decimals, for people.
private func rounded(_ x: Double) -> String {
  x.isFinite ? "\((x * 1000).rounded() / 1000)" : "-"
}
