import Bijections
import Distributions
import Privacy
import Randomness
import Tensors

/// The result of a private fit.
public struct PrivateFit: Sendable {
  /// The parameters after the last step, and the functions that take them. Losses are NaN.
  public let fitted: Fitted
  /// The declared numbers.
  public let plan: PrivacyPlan
  /// Whether the noise was secret. A result of known noise must not be called private.
  public let isPrivate: Bool
}

/// Fits a distribution to rows with differential privacy, by maximum likelihood.
///
/// ```swift
/// let plan = try PrivacyPlan(epsilon: 3, delta: 1e-5, rate: 0.01, batch: 200, steps: 1_000)
/// let result = try fit(.maf(), to: rows, privately: plan, key: Key(0))
/// ```
///
/// Each step draws rows independently at the plan's rate, clips the gradient of each, and adds noise to the
/// sum. The guarantee of the plan covers the parameters and everything that is computed from them. Nothing
/// else reads the rows: no data-dependent start, no statistics, no validation and no early stopping. The
/// caller must not choose anything by looking at the rows either. Bring columns to a common scale by public
/// bounds.
///
/// A row whose gradient is not finite adds nothing. So rows are checked for their shape alone.
///
/// - Parameters:
///   - distribution: the distribution, most often a `Flow`. Its rows are independent.
///   - data: rows, `[rows] + sample`. There may be none.
///   - context: one row of context per row of data. It is as private as the rows.
///   - plan: the declared numbers.
///   - noise: the source of noise and samples; by default a secret one.
///   - start: parameters to start from, which must not depend on the rows.
///   - freezing: the parameters that training leaves as they are.
///   - key: the key of initial values and of units that are kept. It may be known.
///   - optimizer: the optimizer; nil for Adam whose rate falls from 0.002 to 0 along a cosine, with running
///     means of the parameters.
///   - label: a text that a checkpoint's run must share, such as the names and bounds of the columns.
///   - checkpoint: the file to keep the run's state in. It holds no rows, no key and no gradient without
///     noise. A run that goes on from it draws new noise.
///   - progress: the way to report progress on standard error.
///   - onRecord: called about a hundred times. It says whether training goes on. The charge stays that of all
///     steps.
/// - Throws:
///   - `FlowError.mismatch` for shapes that do not fit, and for a context that neither a layer nor the prior
///     reads;
///   - `.mismatch` for a distribution that couples rows or keeps statistics of them, and for a checkpoint
///     without a secret source;
///   - `.diverged` when a parameter is not finite;
///   - the errors of the layers and of the checkpoint.
public func fit(
  _ distribution: some Distribution, to data: some RowSource, given context: Tensor? = nil,
  privately plan: PrivacyPlan, noise: NoiseSource = .secret(), start: Params? = nil,
  freezing: Freezing = .nothing, key: Key, optimizer: (any Optimizer)? = nil, label: String = "",
  checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onRecord: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> PrivateFit {
  guard data.shape.rank >= 2 else {
    throw FlowError.mismatch(who: "fit", what: "data", expected: "[rows] + sample", got: "\(data.shape)")
  }
  let (count, sample) = (data.shape[0], data.shape.sample)
  if let context, context.rank < 2 || context.rows != count {
    throw FlowError.mismatch(
      who: "fit", what: "context", expected: "one row per row of data", got: "\(context.shape)")
  }
  if checkpoint != nil && !noise.isPrivate {
    throw FlowError.mismatch(
      who: "fit", what: "a checkpoint", expected: "with secret noise, since known noise would repeat",
      got: "a known seed")
  }
  let optimizer =
    optimizer
    ?? MovingAverage(Adam(learningRate: .cosine(2e-3, steps: plan.steps)), decay: 0.99)
  let (initial, logPDF, sampler) = try distribution(
    key.folded(in: 0), inputDim: sample, contextDim: context?.shape.sample, dtype: data.dtype)
  try PrivateLikelihood.check(logPDF)
  try logPDF.boundary.checkShapes(
    initial, .zeros(sample.batched(0), dtype: data.dtype), given: context?[0..<0])
  // Contexts of zeros: nothing private is read outside the steps.
  try logPDF.checkUse(
    of: context.map { .zeros($0.shape.sample.batched(2), dtype: $0.dtype) }, initial, sampler, who: "fit")
  if let start { try logPDF.boundary.check(start) }
  let params = try freezing(start ?? initial)
  let stepKey = key.folded(in: 1)
  var run = TrainingRun(
    who: "fit", logPDF: logPDF, objective: PrivateLikelihood(plan, noise: noise), optimizer: optimizer,
    initial: initial, steps: plan.steps, length: max(1, plan.steps / 100), hidesRows: true
  ) { step in
    let joined = noise.poissonSample(rate: plan.mechanism.rate, of: count)
    let isEmpty = joined.isEmpty
    return TrainingStep(
      logPDF: logPDF, sample: sampler,
      rows: isEmpty ? .zeros(sample.batched(0), dtype: data.dtype) : try data.rows(joined),
      context: isEmpty ? context?[0..<0] : context?.rows(joined), key: stepKey.folded(in: step), index: step)
  }
  if let checkpoint {
    run.keeper = CheckpointKeeper(
      checkpoint,
      RunDescription(
        ("distribution", distribution), ("private plan", plan), ("optimizer", optimizer), ("label", label),
        ("start", start?.leaves as Any), ("frozen parameters", params.frozenPaths(beyond: initial))))
  }
  let fitted = try run.fitted(
    from: FitState(params, optimizer: optimizer), or: nil, (logPDF, sampler), progress: progress,
    { "private step \($0.step) of \(plan.steps)" }, onRecord: onRecord)
  return PrivateFit(fitted: fitted, plan: plan, isPrivate: noise.isPrivate)
}
