import Bijections
import Distributions
import Randomness
import Tensors

/// Fits a distribution to data, by maximum likelihood where no other objective is asked for.
///
/// ```swift
/// let fitted = try fit(Flow.neuralSpline(), to: data, key: Key(0), epochs: 50)
/// let logDensities = try fitted.logPDF(fitted.params, data)
/// ```
///
/// Each epoch visits all training rows once, in an order drawn from the key. The result has the same bits for
/// the same key, whatever the number of threads, and whether or not the fit was interrupted and continued.
///
/// Layers with a data-dependent start see up to 4096 training rows, and at least a batch. Layers that keep
/// running statistics, such as batch normalization, update them with the batch of each step. The statistics
/// are those of the parameters before the step, whose loss was finite. A batch whose rows depend on each
/// other is computed as a whole, not in shards.
///
/// When the task is cancelled, training ends after the step under way, with the ending `cancelled`.
///
/// - Parameters:
///   - distribution: the distribution, most often a `Flow`.
///   - data: rows, `[rows] + sample`, in memory or as a ``MappedArray``, which gives the same bits. Of a
///     mapped array one batch is in memory, and a piece of at most four million numbers of the rows held out.
///   - context: one row of context per row of data, for a conditional distribution.
///   - objective: the objective to minimize; a ``RowObjective`` or any other that takes a batch.
///   - evaluation: the distribution that judges the held-out rows and whose functions are returned. It has
///     the same parameter tree, with its layers in evaluation mode. Nil: the distribution, which must not
///     couple rows then, as `BatchNorm` in training mode does.
///   - weights: the importance of each row, `[rows]`, not negative. Only ratios matter: a row of weight 2
///     counts as two rows of weight 1, and a row of weight 0 is left out, wherever it lies. Data-dependent
///     starts and running statistics count the remaining rows alike. Nil: all rows count alike.
///   - start: parameters to start from, instead of the initial ones.
///   - state: the state of an earlier fit, to go on from as if it had not stopped. A checkpoint's file, if
///     there is one, takes its place. The rate of the default optimizer falls over all epochs: for more
///     epochs than the earlier fit was to have, give both fits an optimizer.
///   - freezing: the parameters that training leaves as they are.
///   - key: the key of initial values, split, order, objective and augmentation.
///   - epochs: passes over the data, those of an earlier state included; nil for those of ``FitSettings``.
///   - batchSize: rows per step; the last batch of an epoch may be smaller; nil for that of ``FitSettings``.
///   - learningRate: the rate of the first step; it falls to 0 along a cosine. `.searched()` finds one in a
///     short run before the fit. By default that of ``FitSettings``.
///   - averaging: the decay of the running mean of the parameters, which is judged and returned; nil for the
///     last parameters. By default 0.99, and none beside a given optimizer.
///   - optimizer: another optimizer; nil for that of ``FitSettings``, without weight decay if the objective
///     has a prior. It is told the validation loss of each epoch, or the training loss where nothing is held
///     out.
///   - validationFraction: the share of rows held out to judge each epoch; 0 for none.
///   - fold: the number of the share that is held out. Folds 0, 1, ... with one key hold out different rows
///     and start from different initial values.
///   - patience: epochs without a better validation loss after which training ends; nil for never. It has no
///     effect where nothing is held out.
///   - augment: called on each batch with a key of its own (noise, dequantization). Held-out rows get one
///     fixed key. It returns as many rows as it takes, of the distribution's shape: rows of data may have
///     another one, such as the two ends of each number's interval.
///   - engine: where the steps are computed, this library's kernels or a device. See ``Engine``.
///   - checkpoint: the file to go on from, and to keep the run's state in.
///   - progress: the way to report progress on standard error.
///   - onEpoch: called after each epoch of this process with the state, whose `latest` record is the epoch's.
///     It says whether training goes on.
/// - Returns: the parameters with the lowest validation loss, or the last ones where nothing is held out; the
///   functions that take them; the history; and the state to go on from. The initial parameters count too.
/// - Throws:
///   - `FlowError.mismatch` for no rows, for shapes that do not fit, for a context that neither a layer nor
///     the prior reads, and for rows that are coupled without an `evaluation`;
///   - `.notFinite` for NaN or infinity in the data, the context or the weights;
///   - `.outsideDomain` for rows outside the distribution's support, and for negative weights;
///   - `.structure` for parameters or a state of another distribution or optimizer, and for a pattern in
///     `freezing` that fits no leaf;
///   - `.diverged`, with the last good parameters, when a loss, a gradient or a parameter is not finite;
///   - `.file` for a checkpoint that is damaged or of another run;
///   - the errors of the data, the layers, the objective, the engine and the callback.
/// - Precondition: positive epochs and batch size; a fraction in 0..<1; a fold from 0 on; no learning rate
///   beside an optimizer, which has its own.
public func fit(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  by objective: some Objective = .maximumLikelihood, evaluation: (any Distribution)? = nil,
  weights: Tensor? = nil, start: Params? = nil, continuing state: FitState? = nil,
  freezing: Freezing = .nothing, key: Key, epochs: Int? = nil, batchSize: Int? = nil,
  learningRate: LearningRate = .automatic, averaging: Averaging = .automatic,
  optimizer: (any Optimizer)? = nil, validationFraction: Double = 0.1, fold: Int = 0,
  patience: Patience = .automatic,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  on engine: Engine = .cpu, checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  try fit(
    distribution, to: data, given: context, by: objective, evaluation: evaluation, weights: weights,
    start: start, continuing: state, freezing: freezing, key: key, epochs: epochs, batchSize: batchSize,
    learningRate: learningRate, averaging: averaging, optimizer: optimizer,
    validationFraction: validationFraction, fold: fold, holdingOut: nil, patience: patience,
    augment: augment, on: engine, checkpoint: checkpoint, progress: progress, onEpoch: onEpoch)
}

/// Fits as above. The rows held out are those given, where there are some.
package func fit(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  by objective: some Objective = .maximumLikelihood, evaluation: (any Distribution)? = nil,
  weights: Tensor? = nil, start: Params? = nil, continuing state: FitState? = nil,
  freezing: Freezing = .nothing, key: Key, epochs: Int? = nil, batchSize: Int? = nil,
  learningRate: LearningRate = .automatic, averaging: Averaging = .automatic,
  optimizer: (any Optimizer)? = nil, validationFraction: Double = 0.1, fold: Int = 0,
  holdingOut heldOut: [Int]?, patience: Patience = .automatic,
  augment: @escaping @Sendable (_ key: Key, _ rows: Tensor) -> Tensor = { _, rows in rows },
  on engine: Engine = .cpu, checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  var settings = FitSettings(rows: data.shape.rank > 0 ? data.shape[0] : 0)
  settings.validationFraction = validationFraction
  if let batchSize { settings.batchSize = max(batchSize, 1) }
  settings.epochs = epochs
  if objective.hasPrior { settings.weightDecay = 0 }
  let (epochs, batchSize) = (epochs ?? settings.passes, batchSize ?? settings.batchSize)
  learningRate.check(beside: optimizer)
  require(
    epochs > 0 && batchSize > 0, "fit needs positive epochs and batchSize, got \(epochs) and \(batchSize)")
  require(
    (0..<1).contains(validationFraction), "validationFraction must be in 0..<1, got \(validationFraction)")

  require(fold >= 0, "fold must not be negative, got \(fold)")

  // Children of the key, by purpose.
  let (initKey, splitKey, orderKey, batchKey, validationKey, evaluationKey, lossKey, searchKey) = (
    fold == 0 ? key.folded(in: 0) : key.folded(in: 0).folded(in: fold), key.folded(in: 1), key.folded(in: 2),
    key.folded(in: 3), key.folded(in: 4),
    key.folded(in: 5), key.folded(in: 6), key.folded(in: 7)
  )
  let rows = try TrainingRows(
    data, context, weights, heldOut: validationFraction, fold: fold, numbers: heldOut, key: splitKey,
    who: "fit")
  let first = rows.start(batchSize: batchSize)
  let startRows = augment(batchKey.folded(in: 0), try data.rows(first))
  let startContext = context?.rows(first)
  let (inputDim, contextDim) = (startRows.shape.sample, context?.shape.sample)
  let (initial, logPDF, sample): (Params, LogPDF, Sampler)
  do throws(FlowError) {
    (initial, logPDF, sample) = try distribution(
      initKey, inputDim: inputDim, contextDim: contextDim, initInputs: startRows, initContext: startContext,
      dtype: data.dtype)
  } catch {
    throw error.withRow { first.indices.contains($0) ? first[$0] : $0 }
  }
  try logPDF.boundary.checkShapes(initial, startRows, given: startContext)
  try logPDF.checkUse(of: startContext, initial, startRows, who: "fit")
  if let start { try logPDF.boundary.check(start) }
  let judge = try evaluation?(evaluationKey, inputDim: inputDim, contextDim: contextDim, dtype: data.dtype)
  try judge?.logPDF.boundary.check(initial)
  if judge == nil, logPDF.traits.contains(.couplesRows) {
    throw FlowError.mismatch(
      who: "fit", what: "evaluation:",
      expected:
        "the same distribution with BatchNorm(mode: .evaluation), since in training rows depend on others",
      got: "none")
  }
  let functions = (logPDF: judge?.logPDF ?? logPDF, sample: judge?.sample ?? sample)
  let params = try freezing(start ?? initial)
  let batches = (rows.training.count + batchSize - 1) / batchSize

  func trainingStep(_ index: Int, _ batch: [Int], augmented: Key, loss: Key) throws -> TrainingStep {
    var inputs = TrainingStep(
      logPDF: logPDF, sample: sample, rows: augment(augmented, try data.rows(batch)),
      weights: rows.weights(batch), context: context?.rows(batch), key: loss, index: index)
    (inputs.rowNumbers, inputs.trainingRows) = (batch, rows.training.count)
    return inputs
  }
  let rate = try learningRate(default: settings.learningRate, progress: progress) { first, last, steps in
    let (choice, augmented, loss) = (
      searchKey.folded(in: 0), searchKey.folded(in: 1), searchKey.folded(in: 2)
    )
    return try LearningRateSearch(
      from: first, to: last, steps: steps, logPDF, objective, start: params, settings.steps
    ) { step in
      let batch = choice.folded(in: step).choice(min(batchSize, rows.training.count), of: rows.training.count)
      return try trainingStep(
        step, batch.map { rows.training[$0] }, augmented: augmented.folded(in: step),
        loss: loss.folded(in: step))
    }
  }
  settings.learningRate = rate.rate
  let ownRate = optimizer == nil ? rate.rate : nil
  let optimizer = optimizer.map { averaging($0, default: nil) } ?? settings.optimizer(averaging)

  var order: (epoch: Int, rows: RowOrder) = (-1, rows.training)
  var run = TrainingRun(
    who: "fit", logPDF: logPDF, objective: objective, optimizer: optimizer, initial: initial,
    steps: epochs * batches, length: batches,
    patience: patience.epochs(settings)
  ) { step in
    let (epoch, position) = (step / batches, step % batches * batchSize)
    if order.epoch != epoch {
      order = (epoch, RowOrder(shuffling: rows.training, by: orderKey.folded(in: epoch)))
    }
    let batch = Array(order.rows[position..<min(position + batchSize, order.rows.count)])
    return try trainingStep(
      step, batch, augmented: batchKey.folded(in: step + 1), loss: lossKey.folded(in: step + 1))
  }
  run.engine = engine
  func judged(_ piece: Int) throws -> TrainingStep {
    let (numbers, values) = try rows.heldOutPiece(piece, augment: augment, validationKey)
    let key = lossKey.folded(in: 0)
    var judged = TrainingStep(
      logPDF: functions.logPDF, sample: functions.sample, rows: values,
      weights: rows.weightsHeldOut(numbers), context: context?.rows(numbers),
      key: rows.heldOutPieces.count == 1 ? key : key.folded(in: piece))
    (judged.rowNumbers, judged.trainingRows) = (numbers, rows.training.count)
    return judged
  }
  run.heldOutLoss = try rows.heldOutLoss(objective, at: params, judged)
  if engine.device != nil, rows.heldOutPieces.count == 1 { run.judged = try judged(0) }
  if Ranks.current != nil {
    guard engine.device == nil else {
      throw FlowError.mismatch(
        who: "fit", what: "an engine", expected: "the processors, where ranks share a fit", got: "a device")
    }
    let shardRows = Parallelism.shardRows(of: inputDim, parameters: params.learnedCount)
    run.shared = (
      RunDescription(
        ("distribution", distribution), ("data", try data.sampledFingerprint),
        ("context", try context?.sampledFingerprint as Any), ("key", key), ("batch size", batchSize),
        ("validation fraction", validationFraction), ("fold", fold)),
      shards: (min(batchSize, rows.training.count) + shardRows - 1) / shardRows
    )
  }
  if let checkpoint {
    run.keeper = CheckpointKeeper(
      checkpoint,
      RunDescription(
        ("distribution", distribution), ("evaluation", evaluation as Any),
        ("data", Ranks.isFirst ? try data.fingerprint : ""), ("context", context?.fingerprint as Any),
        ("weights", weights?.fingerprint as Any),
        ("objective", objective), ("optimizer", optimizer),
        ("start", start?.leaves as Any), ("frozen parameters", params.frozenPaths(beyond: initial)),
        ("key", key), ("batch size", batchSize), ("validation fraction", validationFraction), ("fold", fold)))
  }
  var fitted = try run.fitted(
    from: FitState(params, optimizer: optimizer), or: state, functions, progress: progress,
    { "epoch \(min($0.step / batches + 1, epochs)) of \(epochs)" }, onRecord: onEpoch)
  (fitted.learningRate, fitted.rateSearch) = (ownRate, rate.search)
  return fitted
}

extension Params {
  /// The paths of the leaves that are frozen here and learned in another tree of the same structure.
  func frozenPaths(beyond other: Params) -> [String] {
    Array(Set(other.learned.paths).subtracting(learned.paths)).sorted()
  }
}
