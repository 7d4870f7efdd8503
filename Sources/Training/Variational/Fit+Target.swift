import Bijections
import Distributions
import Randomness
import Tensors

/// Fits a distribution to a target, a density known up to a constant: variational inference.
///
/// ```swift
/// let fitted = try fit(Flow.variationalNeuralSpline(), to: Target(Banana(), inputDim: 2), key: Key(0), iterations: 5_000)
/// let weights = try ImportanceWeights(fitted.sample, fitted.params, of: target, key: Key(1), draws: 10_000)
/// ```
///
/// Same key, same bits, for any number of threads, and for a fit that was continued as for one that was not. A flow with a
/// layer that couples rows (batch normalization in training) is refused.
///
/// - Parameters:
///   - flow: what is fitted, a `Flow` most often.
///   - target: what it is fitted to.
///   - objective: by what; the reverse Kullback-Leibler divergence by default.
///   - key: what initial values and each iteration's draws come from.
///   - iterations: steps of this call.
///   - optimizer: Adam with clipping by default.
///   - trained: which parameters are moved; a prior stays unless it is asked for.
///   - dtype: of parameters and draws.
///   - state: where an earlier fit stood, or parameters to start from.
///   - progress: how to report on standard error.
///   - hasConverged: asked after each iteration, with what happened so far in this call; ends the fit when true.
///   - onIteration: called after each iteration with the parameters; what it returns is kept in the record.
/// - Returns: the last parameters, the state to go on from, and the record.
/// - Throws: `FlowError.diverged` when a loss, a gradient or a parameter is not finite, with the last parameters at which all
///   were; `.structure` for a state of another flow or optimizer; `.mismatch`; what target, layers and the callback throw.
/// - Precondition: positive iterations.
public func fit(
  _ flow: some Distribution, to target: Target, by objective: any Objective = ReverseKL(),
  key: Key, iterations: Int = 1_000,
  optimizer: any Optimizer = Chain(ClipByGlobalNorm(10), Adam(learningRate: 1e-3)),
  training trained: Trained = .exceptPrior, dtype: DType = .float32,
  continuing state: VariationalState? = nil, progress: Progress = .automatic,
  hasConverged: ([VariationalFit.Iteration]) -> Bool = { _ in false },
  onIteration: (VariationalFit.Iteration, Params) throws -> [String: Double] = { _, _ in [:] }
) throws -> VariationalFit {
  require(iterations > 0, "fit needs positive iterations, got \(iterations)")
  let (initKey, stepKey) = (key.folded(in: 0), key.folded(in: 1))
  let (initial, logPDF, sample) = try flow(initKey, inputDim: target.inputDim, dtype: dtype)
  if logPDF.traits.contains(.couplesRows) {
    throw FlowError.mismatch(
      who: "fit", what: "a flow", expected: "whose rows are independent", got: logPDF.boundary.name)
  }
  if let state { try logPDF.boundary.check(state.params) }

  var params = trained.freezing(state?.params ?? initial)
  var optimizerState = state?.optimizer ?? optimizer.initialize(params)
  var lastGood = params
  func thawed(_ params: Params) -> Params { Trained.thawing(params, as: initial) }
  func diverged(_ step: Int, _ what: String) -> FlowError {
    .diverged(step: step, what: what, lastGood: thawed(lastGood))
  }

  let first = state?.iterations ?? 0
  var record: [VariationalFit.Iteration] = []
  var ending = VariationalFit.Ending.completed
  var best = Double.infinity
  let start = ContinuousClock.now
  var meter = ProgressMeter(progress, total: iterations)
  defer { meter.finish() }

  for index in first..<first + iterations {
    if Task.isCancelled {
      ending = .cancelled
      break
    }
    let step = VariationalStep(
      logPDF: logPDF, sample: sample, target: target, key: stepKey.folded(in: index), index: index)
    let (loss, gradient) = try objective.valueAndGradient(at: params, step)
    guard loss.isFinite else { throw diverged(index, "the loss") }
    guard gradient.leaves.allSatisfy(\.isFinite) else { throw diverged(index, "a gradient") }
    lastGood = params
    (params, optimizerState) = try optimizer.update(gradient, optimizerState, params)
    let (elapsed, norm) = ((ContinuousClock.now - start).seconds, gradient.norm)
    func iteration(_ notes: [String: Double]) -> VariationalFit.Iteration {
      .init(index: index, loss: loss.item, gradientNorm: norm, seconds: elapsed, notes: notes)
    }
    record.append(iteration(try onIteration(iteration([:]), thawed(params))))
    best = min(best, loss.item)
    meter.advance("iteration \(index + 1), loss \(rounded(loss.item)), best \(rounded(best))")
    if hasConverged(record) {
      ending = .converged
      break
    }
  }
  guard params.learned.leaves.allSatisfy(\.isFinite) else {
    throw diverged(first + record.count, "a parameter")
  }
  return VariationalFit(
    state: VariationalState(
      params: thawed(params), optimizer: optimizerState, iterations: first + record.count),
    logPDF: logPDF, sample: sample, record: record, ending: ending)
}
