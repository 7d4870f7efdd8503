import Bijections
import Distributions
import Randomness
import Tensors

/// What `fit` gives back: the best parameters, and functions that take them.
public struct Fitted: Sendable {
  /// The parameters with the lowest validation loss, or the last ones where nothing was held out or no epoch was finished.
  public let params: Params
  /// The log-density.
  public let logPDF: LogPDF
  /// The sampler.
  public let sample: Sampler
  /// Each epoch's losses.
  public let history: [Epoch]
  /// Why training ended.
  public let ending: Ending

  /// One pass over the data.
  public struct Epoch: Sendable, Hashable {
    /// Counts from 0.
    public let index: Int
    /// Steps done since the start.
    public let steps: Int
    /// The mean loss over the epoch's batches, each before its step: nats of negative log-likelihood by default.
    public let trainingLoss: Double
    /// The mean loss of the held-out rows after the epoch, if any were held out.
    public let validationLoss: Double?
    /// Whether the validation loss is the lowest so far; true where nothing is held out.
    public let isBest: Bool
  }

  /// Why training ended.
  public enum Ending: Sendable, Hashable {
    /// All epochs are done.
    case completed
    /// The validation loss has not improved for `patience` epochs.
    case stoppedEarly
    /// The task was cancelled.
    case cancelled
    /// The callback asked for it.
    case stoppedByCallback
  }
}

/// What a callback wants.
public enum Continuation: Sendable {
  /// Go on.
  case proceed
  /// End training after this epoch.
  case stop
}

/// Fits a distribution to data, by maximum likelihood where no other objective is asked for.
///
/// Each epoch visits all training rows once in an order drawn from the key. Same key, same bits, for any number of
/// threads. Layers with a data-dependent start see the first batch. Statistics that layers keep (batch normalization) are
/// moved by each step's batch, as the parameters of that step's loss see it: then a finite loss vouches for them. A batch
/// whose rows depend on each other is not sharded.
///
/// - Parameters:
///   - distribution: what is fitted, a `Flow` most often.
///   - data: rows, `[rows] + sample`.
///   - context: rows beside them, for a conditional distribution.
///   - evaluation: the same distribution with its layers in evaluation mode, where they have one (`BatchNorm`): over the
///     same parameter tree, it judges the held-out rows and is what comes back. By default the distribution itself.
///   - weights: what each row counts, `[rows]`, not negative. Only their ratios matter: a row of weight 2 is two rows of weight
///     1. Starts and running statistics see the rows alone. Nil: all the same.
///   - objective: what is minimized.
///   - start: parameters to go on from, instead of the initial ones.
///   - freezing: paths of parameters that stay as they are, as in `Tree.freezing`.
///   - key: what initial values, split, order and augmentation are drawn from.
///   - epochs: passes over the data.
///   - batchSize: rows a step; the last batch of an epoch may be smaller.
///   - optimizer: Adam with clipping by default. It is told each epoch's loss, and says which parameters are judged and
///     come back (`MovingAverage`).
///   - validationFraction: the share of rows held out to judge each epoch; 0 for none.
///   - patience: epochs without a better validation loss after which training ends; nil for never.
///   - augment: called on each batch with a key of its own (noise, dequantization); held-out rows get one fixed key. It
///     gives as many rows as it takes.
///   - checkpoint: the file to go on from, and to keep the run's state in.
///   - progress: how to report on standard error.
///   - onEpoch: called after each epoch of this process; a run that goes on does not repeat the earlier ones.
/// - Returns: the best parameters and what happened.
/// - Throws: `FlowError.mismatch` for no rows, `.notFinite` for NaN or infinity in the data, `.outsideDomain`, `.diverged` when
///   a loss, a gradient or a parameter is not finite, with the parameters of the last step at which all were, what the
///   layers and the callback throw, `.structure` with both trees for a checkpoint of another architecture, `.mismatch` for one
///   of other data or another key, `.file` for one that cannot be read or written.
/// - Precondition: positive epochs and batch size; a fraction in 0..<1.
public func fit(
  _ distribution: some Distribution, to data: Tensor, given context: Tensor? = nil,
  evaluation: (any Distribution)? = nil,
  weights: Tensor? = nil, objective: DataObjective = .maximumLikelihood, start: Params? = nil,
  freezing: [String] = [],
  key: Key, epochs: Int = 100, batchSize: Int = 256,
  optimizer: any Optimizer = Chain(ClipByGlobalNorm(10), Adam(learningRate: 1e-3)),
  validationFraction: Double = 0.1, patience: Int? = 10,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  checkpoint: Checkpoint? = nil, progress: Progress = .automatic,
  onEpoch: (Fitted.Epoch) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  require(
    epochs > 0 && batchSize > 0, "fit needs positive epochs and batchSize, got \(epochs) and \(batchSize)")
  require(
    (0..<1).contains(validationFraction), "validationFraction must be in 0..<1, got \(validationFraction)")
  try checkData(data, context)

  // Children of the key, by purpose.
  let (initKey, splitKey, orderKey, batchKey, validationKey, evaluationKey, lossKey) = (
    key.folded(in: 0), key.folded(in: 1), key.folded(in: 2), key.folded(in: 3), key.folded(in: 4),
    key.folded(in: 5), key.folded(in: 6)
  )
  let held = min(Int((Double(data.rows) * validationFraction).rounded()), data.rows - 1)
  let order = splitKey.permutation(data.rows)
  let (validation, training) = (Array(order[..<held]), Array(order[held...]))

  let (trainingWeights, heldWeights) = (
    try weights?.normalized(training, of: data), try weights?.normalized(validation, of: data)
  )

  let first = Array(training.prefix(batchSize))
  let (initial, logPDF, sample) = try distribution(
    initKey, inputDim: data.shape.sample, contextDim: context?.shape.sample,
    initInputs: augment(batchKey.folded(in: 0), data.rows(first)), initContext: context?.rows(first),
    dtype: data.dtype)
  var fitted = (logPDF: logPDF, sample: sample)
  if let evaluation {
    let (_, logPDF, sample) = try evaluation(
      evaluationKey, inputDim: data.shape.sample, contextDim: context?.shape.sample, dtype: data.dtype)
    try logPDF.boundary.check(initial)
    fitted = (logPDF, sample)
  }
  let validationRows = held > 0 ? augment(validationKey, data.rows(validation)) : nil
  let validationContext = held > 0 ? context?.rows(validation) : nil
  if let validationRows {
    try fitted.logPDF.boundary.check(initial, validationRows, given: validationContext)
  }
  let heldLoss = try validationRows.map {
    try objective.value(
      of: fitted.logPDF,
      over: .init($0, given: validationContext, weights: heldWeights, key: lossKey.folded(in: 0)))
  }
  if let start { try logPDF.boundary.check(start) }

  var params = try (start ?? initial).freezing(freezing)
  var state = optimizer.initialize(params)
  var lastGood = try params.withFrozenLeaves(of: initial)
  var best: (loss: Double, params: Params, epoch: Int)?
  var history: [Fitted.Epoch] = []
  var step = 0
  var ending = Fitted.Ending.completed
  let batches = (training.count + batchSize - 1) / batchSize
  var keeper = checkpoint.map {
    CheckpointKeeper(
      $0,
      identity: [
        "key": "\(key)", "data": data.fingerprint, "context": context?.fingerprint ?? "none",
        "weights": weights?.fingerprint ?? "none", "freezing": freezing.joined(separator: " "),
        "batchSize": "\(batchSize)", "validationFraction": "\(validationFraction)",
      ])
  }
  func snapshot(_ epoch: Int, _ row: Int, _ total: Double) -> FitState {
    FitState(
      params: params, optimizer: state, lastGood: lastGood, best: best, history: history, step: step,
      epoch: epoch, row: row, total: total)
  }
  var begin = snapshot(0, 0, 0)
  if let saved = try keeper?.saved(like: begin) {
    begin = saved
    (params, state, lastGood, best) = (saved.params, saved.optimizer, saved.lastGood, saved.best)
    (history, step) = (saved.history, saved.step)
    try logPDF.boundary.check(params)
  }
  var meter = ProgressMeter(progress, total: epochs * batches, from: step)
  defer { meter.finish() }
  if held > 0, let patience, let last = history.last, last.index - (best?.epoch ?? -1) >= patience {
    ending = .stoppedEarly
  }

  training: for epoch in begin.epoch..<(ending == .completed ? max(epochs, begin.epoch) : begin.epoch) {
    let shuffled = orderKey.folded(in: epoch).permutation(training.count).map { training[$0] }
    var total = epoch == begin.epoch ? begin.total : 0
    for start in stride(from: epoch == begin.epoch ? begin.row : 0, to: shuffled.count, by: batchSize) {
      if Task.isCancelled {
        try keeper?.save(snapshot(epoch, start, total))
        ending = .cancelled
        break training
      }
      let rows = Array(shuffled[start..<min(start + batchSize, shuffled.count)])
      let batch = augment(batchKey.folded(in: step + 1), data.rows(rows))
      let batchContext = context?.rows(rows)
      try logPDF.boundary.check(params, batch, given: batchContext)
      let (loss, gradient) = try objective.valueAndGradient(
        of: logPDF, at: params,
        over: .init(
          batch, given: batchContext, weights: trainingWeights?.rows(rows), key: lossKey.folded(in: step + 1))
      )
      guard loss.isFinite else { throw FlowError.diverged(step: step, what: "the loss", lastGood: lastGood) }
      guard gradient.isFinite else {
        throw FlowError.diverged(step: step, what: "a gradient", lastGood: lastGood)
      }
      lastGood = try params.withFrozenLeaves(of: initial)
      params = try logPDF.statistics?(params, batch, batchContext) ?? params
      (params, state) = try optimizer.update(gradient, state, params)
      total += loss.item * Double(rows.count)
      step += 1
      try keeper?.saveIfDue(step) { snapshot(epoch, start + rows.count, total) }
      meter.report(
        step,
        "epoch \(epoch + 1) of \(epochs), loss \(rounded(loss.item)), best \(rounded(best?.loss ?? .infinity))"
      )
    }
    guard params.learned.isFinite else {
      throw FlowError.diverged(step: step, what: "a parameter", lastGood: lastGood)
    }
    let trainingLoss = total / Double(training.count)
    let judged = try optimizer.evaluationParams(state, params)
    let validationLoss = try heldLoss?(judged).item
    if let validationLoss, validationLoss.isNaN {
      throw FlowError.diverged(step: step, what: "the validation loss", lastGood: lastGood)
    }
    // An infinite loss is only worse: a held-out row may lie where the model puts nothing yet.
    let isBest = validationLoss.map { $0 < best?.loss ?? .infinity } ?? true
    if isBest { best = (validationLoss ?? trainingLoss, judged, epoch) }
    state = try optimizer.observing(validationLoss ?? trainingLoss, state)
    history.append(
      Fitted.Epoch(
        index: epoch, steps: step, trainingLoss: trainingLoss, validationLoss: validationLoss, isBest: isBest)
    )
    if case .stop = try onEpoch(history[epoch]) {
      ending = .stoppedByCallback
      break
    }
    if held > 0, let patience, epoch - (best?.epoch ?? -1) >= patience {
      ending = .stoppedEarly
      break
    }
  }
  if ending != .cancelled { try keeper?.save(snapshot(history.count, 0, 0)) }
  let last = try optimizer.evaluationParams(state, params)
  return Fitted(
    params: try (held > 0 ? best?.params ?? last : last).withFrozenLeaves(of: initial), logPDF: fitted.logPDF,
    sample: fitted.sample,
    history: history, ending: ending)
}

/// Three decimals, for people.
func rounded(_ x: Double) -> String {
  x.isFinite ? "\((x * 1000).rounded() / 1000)" : "-"
}
