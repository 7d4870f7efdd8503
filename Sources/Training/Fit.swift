import Bijections
import Distributions
import Randomness
import Tensors

/// Fits a distribution to data, by maximum likelihood where no other objective is asked for.
///
/// Each epoch visits all training rows once in an order drawn from the key. Same key, same bits, for any
/// number of threads. Layers with a data-dependent start see up to 4096 training rows, and at least a batch.
/// Statistics that layers keep (batch normalization) are moved by each step's batch, as the parameters of
/// that step's loss see it: then a finite loss vouches for them. A batch whose rows depend on each other is
/// not sharded.
///
/// - Parameters:
///   - distribution: the distribution, most often a `Flow`.
///   - data: rows, `[rows] + sample`, in memory or as a ``MappedArray``. The rows held out are kept in
///     memory.
///   - context: rows beside them, for a conditional distribution.
///   - objective: the objective to minimize; a ``RowObjective`` or any other that takes a batch.
///   - evaluation: the same distribution with its layers in evaluation mode, where they have one
///     (`BatchNorm`): over the same parameter tree, it judges the held-out rows and comes back. By default
///     the distribution itself.
///   - weights: the importance of each row, `[rows]`, not negative. Only ratios matter: a row of weight 2
///     counts as two rows of weight 1, and a row of weight 0 is left out, wherever it lies. Starts and
///     running statistics see the rows alone. Nil: all rows count alike.
///   - start: parameters to go on from, instead of the initial ones.
///   - state: the state of an earlier fit, to go on from as if it had not stopped.
///   - freezing: the parameters that stay as they are.
///   - key: the key of initial values, split, order, objective and augmentation.
///   - epochs: passes over the data, those of an earlier state included.
///   - batchSize: rows per step; the last batch of an epoch may be smaller.
///   - optimizer: Adam with clipping by default. It is told each epoch's loss, and says which parameters are
///     judged and come back (`MovingAverage`).
///   - validationFraction: the share of rows held out to judge each epoch; 0 for none.
///   - patience: epochs without a better validation loss after which training ends; nil for never.
///   - augment: called on each batch with a key of its own (noise, dequantization); held-out rows get one
///     fixed key. It gives as many rows as it takes.
///   - checkpoint: the file to go on from, and to keep the run's state in.
///   - progress: how to report on standard error.
///   - onEpoch: called after each epoch of this process with the state, whose `latest` record is the epoch's.
///     A run that goes on does not repeat the earlier ones.
/// - Returns: the best parameters, the functions that take them, and the history.
/// - Throws: `FlowError.mismatch` for no rows and shapes that do not fit; `.notFinite` for NaN or infinity in
///   the data; `.outsideDomain`; `.diverged` when a loss, a gradient or a parameter is not finite, with the
///   last good parameters; `.file` for a checkpoint that is damaged or of another run; and the errors of the
///   layers and the callback.
/// - Precondition: positive epochs and batch size; a fraction in 0..<1.
public func fit(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  by objective: some Objective = .maximumLikelihood, evaluation: (any Distribution)? = nil,
  weights: Tensor? = nil, start: Params? = nil, continuing state: FitState? = nil,
  freezing: Freezing = .nothing, key: Key, epochs: Int = 100, batchSize: Int = 256,
  optimizer: any Optimizer = Chain(ClipByGlobalNorm(10), Adam(learningRate: 1e-3)),
  validationFraction: Double = 0.1, patience: Int? = 10,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  require(
    epochs > 0 && batchSize > 0, "fit needs positive epochs and batchSize, got \(epochs) and \(batchSize)")
  require(
    (0..<1).contains(validationFraction), "validationFraction must be in 0..<1, got \(validationFraction)")

  // Children of the key, by purpose.
  let (initKey, splitKey, orderKey, batchKey, validationKey, evaluationKey, lossKey) = (
    key.folded(in: 0), key.folded(in: 1), key.folded(in: 2), key.folded(in: 3), key.folded(in: 4),
    key.folded(in: 5), key.folded(in: 6)
  )
  let rows = try TrainingRows(data, context, weights, heldOut: validationFraction, key: splitKey, who: "fit")
  let first = rows.start(batchSize: batchSize)
  let (startRows, startContext) = (
    augment(batchKey.folded(in: 0), try data.rows(first)), context?.rows(first)
  )
  let (inputDim, contextDim) = (data.shape.sample, context?.shape.sample)
  let (initial, logPDF, sample) = try distribution(
    initKey, inputDim: inputDim, contextDim: contextDim, initInputs: startRows, initContext: startContext,
    dtype: data.dtype)
  try logPDF.boundary.check(initial, startRows, given: startContext)
  if let start { try logPDF.boundary.check(start) }
  var functions = (logPDF: logPDF, sample: sample)
  if let evaluation {
    let (_, logPDF, sample) = try evaluation(
      evaluationKey, inputDim: inputDim, contextDim: contextDim, dtype: data.dtype)
    try logPDF.boundary.check(initial)
    functions = (logPDF, sample)
  }
  let params = try freezing(start ?? initial)
  let batches = (rows.training.count + batchSize - 1) / batchSize

  var order: (epoch: Int, rows: [Int]) = (-1, [])
  var run = TrainingRun(
    who: "fit", logPDF: logPDF, objective: objective, optimizer: optimizer, initial: initial,
    steps: epochs * batches, length: batches, patience: patience
  ) { step in
    let (epoch, position) = (step / batches, step % batches * batchSize)
    if order.epoch != epoch {
      let shuffled = orderKey.folded(in: epoch).permutation(rows.training.count)
      order = (epoch, shuffled.map { rows.training[$0] })
    }
    let batch = Array(order.rows[position..<min(position + batchSize, order.rows.count)])
    return TrainingStep(
      logPDF: logPDF, sample: sample, rows: augment(batchKey.folded(in: step + 1), try data.rows(batch)),
      weights: rows.weights(batch), context: context?.rows(batch), key: lossKey.folded(in: step + 1),
      index: step)
  }
  if !rows.heldOut.isEmpty {
    let judged = TrainingStep(
      logPDF: functions.logPDF, sample: functions.sample,
      rows: augment(validationKey, try data.rows(rows.heldOut)), weights: rows.weightsHeldOut,
      context: context?.rows(rows.heldOut), key: lossKey.folded(in: 0))
    try functions.logPDF.boundary.check(initial, judged.batch(for: "fit"), given: judged.context)
    run.heldOutLoss = try objective.value(judged)
  }
  if let checkpoint {
    run.keeper = CheckpointKeeper(
      checkpoint,
      RunDescription(
        ("distribution", distribution),
        ("evaluation", evaluation as Any),
        ("data", try data.fingerprint),
        ("context", context?.fingerprint as Any),
        ("objective", objective),
        ("weights", weights?.fingerprint as Any),
        ("optimizer", optimizer),
        ("start", start?.leaves as Any),
        ("frozen parameters", params.frozenPaths(beyond: initial)),
        ("key", key),
        ("batch size", batchSize),
        ("validation fraction", validationFraction)))
  }
  return try run.fitted(
    from: FitState(params, optimizer: optimizer), or: state, functions, progress: progress,
    { "epoch \(min($0.step / batches + 1, epochs)) of \(epochs)" }, onRecord: onEpoch)
}

extension Params {
  /// The paths of the leaves that are frozen here and learned in another tree of the same structure.
  func frozenPaths(beyond other: Params) -> [String] {
    Array(Set(other.learned.paths).subtracting(learned.paths)).sorted()
  }
}
