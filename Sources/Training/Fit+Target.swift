import Bijections
import Distributions
import Randomness
import Tensors

/// Fits a distribution to a target, a density known up to a constant: variational inference.
///
/// ```swift
/// let target = try Target(Banana(), inputDim: 2)
/// let fitted = try fit(Flow.variationalNeuralSpline(), to: target, key: Key(0), iterations: 5_000)
/// let weights = try ImportanceWeights(fitted.sample, fitted.params, of: target, key: Key(1), draws: 10_000)
/// ```
///
/// With contexts the fit is amortised: one conditional flow learns q(x | c) for all of them, from a target
/// whose log-density takes rows and contexts. Each iteration draws some of the contexts, and as many samples
/// for each as the objective says.
///
/// The parameters that come back are the last ones, or with a `validation` objective those of the lowest
/// validation loss. The objective is evaluated every `validationInterval` iterations, with one fixed choice
/// of the contexts and one fixed key, which training does not use. Without an annealed target the training
/// objective itself serves well.
///
/// The result has the same bits for the same key, whatever the number of threads, and whether or not the fit
/// was interrupted and continued. A flow with a layer that couples rows (batch normalization in training) is
/// refused. When the task is cancelled, training ends after the step under way, with the ending `cancelled`.
///
/// - Parameters:
///   - distribution: the distribution, most often a `Flow`.
///   - target: the density to fit to.
///   - context: the contexts of an amortised fit, `[rows] + contextDim`.
///   - objective: the objective to minimize; the reverse Kullback-Leibler divergence by default.
///   - start: parameters to start from, instead of the initial ones.
///   - state: the state of an earlier fit, to go on from as if it had not stopped. A checkpoint's file, if
///     there is one, takes its place.
///   - freezing: the parameters that training leaves as they are; priors by default.
///   - key: the key of initial values, contexts and each iteration's draws.
///   - iterations: steps, those of an earlier state included.
///   - batchSize: the number of contexts per step; all of them where there are no more.
///   - learningRate: the rate of all steps, by default 0.001. `.searched()` finds one in a short run before
///     the fit.
///   - averaging: the decay of the running mean of the parameters, which is judged and returned. By default
///     there is none.
///   - optimizer: another optimizer; nil for Adam with clipping. Every `validationInterval` iterations it is
///     told the validation loss, or the mean of the training losses since the last time.
///   - validation: the objective that judges parameters; nil for none.
///   - validationInterval: the number of iterations from one judgement to the next.
///   - patience: judgements without a better validation loss after which training ends; nil for never. It
///     has no effect without a `validation` objective.
///   - dtype: the dtype of parameters and draws.
///   - checkpoint: the file to go on from, and to keep the run's state in.
///   - progress: the way to report progress on standard error.
///   - onIteration: called after each iteration of this process with the state. It says whether training goes
///     on, and its notes are kept in the history.
/// - Returns: the parameters, the functions that take them, the history, and the state to go on from.
/// - Throws:
///   - `FlowError.mismatch` for contexts of the wrong shape or dtype, for a context that neither a layer nor
///     the prior reads, and for a flow that couples rows;
///   - `.notFinite` for NaN or infinity in the contexts;
///   - `.structure` for parameters or a state of another distribution or optimizer, and for a pattern in
///     `freezing` that fits no leaf;
///   - `.diverged`, with the last good parameters, when a loss, a gradient or a parameter is not finite;
///   - `.file` for a checkpoint that is damaged or of another run;
///   - the errors of the target, the layers, the objectives and the callback.
/// - Precondition: positive iterations, batch size and interval; no learning rate beside an optimizer, which
///   has its own.
public func fit(
  _ distribution: some Distribution, to target: Target, given context: Tensor? = nil,
  by objective: some Objective = .reverseKL(), start: Params? = nil, continuing state: FitState? = nil,
  freezing: Freezing = .priors, key: Key, iterations: Int = 1_000, batchSize: Int = 32,
  learningRate: LearningRate = .automatic, averaging: Averaging = .automatic,
  optimizer: (any Optimizer)? = nil, validation: (any Objective)? = nil, validationInterval: Int = 100,
  patience: Int? = nil,
  dtype: DType = .float32, checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onIteration: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  require(
    iterations > 0 && batchSize > 0 && validationInterval > 0,
    "fit needs positive iterations, batchSize and validationInterval, got \(iterations), \(batchSize) and "
      + "\(validationInterval)")
  learningRate.check(beside: optimizer)
  if let context {
    if context.rank < 2 || context.rows == 0 || context.dtype != dtype {
      throw FlowError.mismatch(
        who: "fit", what: "context", expected: "[rows] + contextDim \(dtype) with at least one row",
        got: "\(context.shape) \(context.dtype)")
    }
    try context.checkFinite(0..<context.rows, who: "fit", what: "context")
  }
  // Children of the key, by purpose.
  let (initKey, stepKey, contextKey, validationKey) = (
    key.folded(in: 0), key.folded(in: 1), key.folded(in: 2), key.folded(in: 3)
  )
  let (initial, logPDF, sample) = try distribution(
    initKey, inputDim: target.inputDim, contextDim: context?.shape.sample, dtype: dtype)
  if logPDF.traits.contains(.couplesRows) {
    throw FlowError.mismatch(
      who: "fit", what: "a flow", expected: "whose rows are independent", got: logPDF.boundary.name)
  }
  try logPDF.checkUse(of: context, initial, sample, who: "fit")
  if let start { try logPDF.boundary.check(start) }
  let params = try freezing(start ?? initial)

  func step(_ index: Int, _ draws: Key, _ contexts: Key) -> TrainingStep {
    let rows = context.map { $0.rows > batchSize ? $0.rows(contexts.choice(batchSize, of: $0.rows)) : $0 }
    return TrainingStep(
      logPDF: logPDF, sample: sample, context: rows, target: target, key: draws, index: index)
  }
  func adam(_ schedule: Schedule) -> any Optimizer {
    Chain(ClipByGlobalNorm(10), Adam(learningRate: schedule))
  }
  let rate = try learningRate(default: 1e-3, progress: progress) { first, last, steps in
    let (draws, contexts) = (key.folded(in: 4), key.folded(in: 5))
    return try LearningRateSearch(
      from: first, to: last, steps: steps, logPDF, objective, start: params, adam
    ) { step($0, draws.folded(in: $0), contexts.folded(in: $0)) }
  }
  let ownRate = optimizer == nil ? rate.rate : nil
  let optimizer = averaging(optimizer ?? adam(.constant(rate.rate)), default: nil)
  var run = TrainingRun(
    who: "fit to \(target.name)", logPDF: logPDF, objective: objective, optimizer: optimizer,
    initial: initial, steps: iterations, interval: validationInterval, patience: patience
  ) { step($0, stepKey.folded(in: $0), contextKey.folded(in: $0)) }
  run.heldOutLoss = try validation?.value(
    step(iterations, validationKey.folded(in: 0), validationKey.folded(in: 1)))
  if let checkpoint {
    run.keeper = CheckpointKeeper(
      checkpoint,
      RunDescription(
        ("distribution", distribution), ("target", target.fingerprint(given: context, dtype: dtype)),
        ("context", context?.fingerprint as Any), ("dtype", dtype),
        ("objective", objective), ("optimizer", optimizer),
        ("start", start?.leaves as Any), ("frozen parameters", params.frozenPaths(beyond: initial)),
        ("key", key), ("batch size", batchSize),
        ("validation", validation as Any), ("validation interval", validationInterval)))
  }
  var fitted = try run.fitted(
    from: FitState(params, optimizer: optimizer), or: state, (logPDF, sample), progress: progress,
    { "iteration \($0.step)" }, onRecord: onIteration)
  (fitted.learningRate, fitted.rateSearch) = (ownRate, rate.search)
  return fitted
}
