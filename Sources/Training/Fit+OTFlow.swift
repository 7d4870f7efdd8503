import Bijections
import Distributions
import Randomness
import Tensors

/// Fits an OT-Flow to data with the settings of one of the paper's experiments.
///
/// ```swift
/// let fitted = try fit(OTFlowSettings.moons, to: data, key: Key(0))
/// ```
///
/// Width, solver steps, batches, objective, rates and bounds of the parameters are those of the settings.
/// Standardize tabular data. Four things differ from the paper's public code:
///
/// - It draws new rows of its two-dimensional examples every 25 steps. A fit visits the given rows.
/// - It validates every 20 to 100 steps. A fit does so after each epoch, and waits for about as many steps.
/// - It validates by the training loss. A fit does so by the exact likelihood.
/// - It clips parameters before each step. A fit does so after it, so that returned parameters are clipped.
///
/// - Parameters:
///   - settings: the settings, such as `.miniboone`.
///   - epochs: passes over the data at most; nil for the settings' number of steps.
///   - validationFraction: the share of rows held out, which decide when the rate falls. Without any, the
///     training loss decides.
///   - engine: the engine that computes the steps.
///   - onEpoch: called after each epoch; see `fit` to data.
/// - Returns: as `fit` to data. The functions take the solver steps of validation. For test rows use those of
///   `Flow.otFlow(settings, steps: settings.testSteps)`.
/// - Throws: as `fit` to data.
/// - Precondition: positive epochs, and a fraction in 0..<1.
public func fit(
  _ settings: OTFlowSettings, to data: some RowSource, given context: Tensor? = nil, key: Key,
  epochs: Int? = nil, validationFraction: Double = 0.1, on engine: Engine = .cpu,
  checkpoint: Checkpoint? = nil, progress: ProgressOutput = .automatic,
  onEpoch: (FitState) throws -> Continuation = { _ in .proceed }
) throws -> Fitted {
  require(
    (0..<1).contains(validationFraction), "validationFraction must be in 0..<1, got \(validationFraction)")
  let count = data.shape.rank > 0 ? data.shape[0] : 0
  let rows = max(1, count - min(Int((Double(count) * validationFraction).rounded()), count - 1))
  return try fit(
    Flow.otFlow(settings), to: data, given: context, by: settings.objective,
    evaluation: Flow.otFlow(settings, steps: settings.validationSteps), key: key,
    epochs: epochs ?? settings.epochs(trainingRows: rows), batchSize: settings.batchSize,
    optimizer: settings.optimizer(trainingRows: rows), validationFraction: validationFraction, patience: nil,
    on: engine, checkpoint: checkpoint, progress: progress
  ) { state in
    let losses = state.history.map { $0.validationLoss ?? $0.trainingLoss }
    return settings.hasEnded(losses, trainingRows: rows) ? .stop : try onEpoch(state)
  }
}

extension OTFlowSettings {
  /// The objective: likelihood, transport and optimality with the settings' weights.
  public var objective: RegularizedLikelihood { .otFlow(likelihood: likelihood, optimality: optimality) }

  /// Adam with the falls of its rate and the bound of the parameters.
  ///
  /// - Parameter trainingRows: the rows that are not held out. An epoch of them separates two validations.
  public func optimizer(trainingRows: Int) -> any Optimizer {
    var links: [any Optimizer]
    switch rateFall {
    case .halving(let steps):
      links = [Adam(learningRate: .exponential(learningRate, factor: 0.5, steps: steps, inStairs: true))]
    case .onPlateau(let divisor, _, _):
      let plateau = ReduceOnPlateau(
        factor: 1 / divisor, patience: patience(trainingRows), relative: 0,
        minimum: 1 / (divisor * divisor * divisor))
      links = [Adam(learningRate: .constant(learningRate)), plateau]
    }
    if let parameterBound { links.append(ClipParameters(to: -parameterBound...parameterBound)) }
    return Chain(links)
  }

  /// The epochs of a number of rows that take the settings' number of steps.
  public func epochs(trainingRows: Int) -> Int {
    max(1, (iterations + batches(trainingRows) - 1) / batches(trainingRows))
  }

  /// Whether validation has stalled once more after the rate's last fall, given the losses of all epochs.
  func hasEnded(_ losses: [Double], trainingRows: Int) -> Bool {
    guard case .onPlateau = rateFall else { return false }
    let patience = patience(trainingRows)
    var (best, waited, stalls) = (Double.infinity, 0, 0)
    for loss in losses {
      waited = loss < best ? 0 : waited + 1
      best = min(best, loss)
      if waited >= patience { (waited, stalls) = (0, stalls + 1) }
    }
    return stalls > 3
  }

  /// The epochs without a lower loss after which the rate falls.
  private func patience(_ trainingRows: Int) -> Int {
    guard case .onPlateau(_, let patience, let interval) = rateFall else { return 1 }
    let steps = (patience + 1) * interval
    return max(1, Int((Double(steps) / Double(batches(trainingRows))).rounded()))
  }

  private func batches(_ trainingRows: Int) -> Int { max(1, (trainingRows + batchSize - 1) / batchSize) }
}
