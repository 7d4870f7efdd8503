import Bijections
import Distributions
import Randomness
import Tensors

/// The flow that a selection took: one fit per fold, mixed with equal weights.
public struct Selection: Sendable {
  /// The candidate that was taken.
  public let candidate: Candidate
  /// The distribution: the candidate's flow, or a `Mixture` of one flow per fold.
  public let distribution: any Distribution
  /// Its parameters.
  public let params: Params
  /// Its log-density.
  public let logPDF: LogPDF
  /// Its sampler.
  public let sample: Sampler
  /// The candidates that were tried, in their order.
  public let trials: [Trial]
  /// The fits of the candidate that was taken, one per fold.
  public let fits: [Fitted]
  /// Whether the task was cancelled. The fits then are the best so far.
  public let isCancelled: Bool

  /// The mean of the folds' best validation losses.
  public var validationLoss: Double { Selection.validationLoss(of: fits) }

  /// The mean of the folds' training losses in the epochs of the best validation losses.
  public var trainingLoss: Double {
    let losses = fits.map { fit in
      fit.history[Swift.max(fit.state.best?.index ?? fit.history.count - 1, 0)].trainingLoss
    }
    return losses.reduce(0, +) / Double(losses.count)
  }

  static func validationLoss(of fits: [Fitted]) -> Double {
    fits.reduce(0) { $0 + ($1.state.best?.loss ?? .infinity) } / Double(max(fits.count, 1))
  }

  /// The distribution of several fits of one flow.
  public static func mixture(of flow: Flow, members: Int) -> any Distribution {
    if members == 1 { return flow }
    let weights = Tensor.ones([members], dtype: .float64)
    return Mixture([Flow](repeating: flow, count: members), weights: .fixed(weights))
  }
}

/// Fits several flows to the same training rows, and takes the one with the best validation loss.
///
/// Below 1,000 rows every candidate is fitted once per fold, and the means over the folds are compared. So
/// every row counts once. From 1,000 rows on the candidates are compared on the first fold, and the rest of
/// the folds is fitted for the one that is taken. The result is the mixture of the folds' fits with equal
/// weights.
///
/// The settings of each fit are those of `FitSettings`.
///
/// - Parameters:
///   - candidates: the flows to try.
///   - data: the rows.
///   - context: one row of context per row of data.
///   - settings: the settings of all fits; nil for those of the number of rows.
///   - key: the key. The same key gives the same bits.
///   - checkpoint: the file of the first fit's state. The others add a number to its name.
///   - progress: the way to report progress on standard error.
/// - Throws: the errors of `fit`. A candidate that diverges is left out unless all do.
/// - Precondition: there is a candidate.
public func select(
  among candidates: [Candidate], fittedTo data: some RowSource, given context: Tensor? = nil,
  settings: FitSettings? = nil, key: Key, checkpoint: Checkpoint? = nil,
  progress: ProgressOutput = .automatic
) throws -> Selection {
  require(!candidates.isEmpty, "select needs a candidate")
  let settings = settings ?? FitSettings(rows: data.shape[0])
  let compared = settings.comparedFolds
  var isCancelled = false
  func fitted(_ i: Int, _ fold: Int) throws -> Fitted {
    let path = checkpoint.map {
      Checkpoint("\($0.path)\(i + fold > 0 ? ".\(i).\(fold)" : "")", every: $0.interval)
    }
    let fitted = try fit(
      candidates[i].flow, to: data, given: context, key: key, epochs: settings.passes,
      batchSize: settings.batchSize, optimizer: settings.optimizer,
      validationFraction: settings.validationFraction, fold: fold,
      patience: .epochs(settings.epochsOfPatience),
      checkpoint: path, progress: progress)
    isCancelled = isCancelled || fitted.ending == .cancelled
    return fitted
  }

  var fits = [[Fitted]](repeating: [], count: candidates.count)
  var failure: (any Error)?
  for i in candidates.indices where !isCancelled {
    do {
      for fold in 0..<compared where !isCancelled { fits[i].append(try fitted(i, fold)) }
    } catch let error as FlowError {
      guard case .diverged = error else { throw error }
      (failure, fits[i]) = (error, [])
    }
  }
  var trials = zip(candidates, fits).map { candidate, fits in
    Trial(
      name: candidate.name, validationLoss: fits.isEmpty ? .infinity : Selection.validationLoss(of: fits),
      folds: fits.count, steps: fits.reduce(0) { $0 + $1.state.step })
  }
  let complete = candidates.indices.filter { fits[$0].count == compared }
  guard
    let chosen = (complete.isEmpty ? candidates.indices.filter { !fits[$0].isEmpty } : complete)
      .min(by: { trials[$0].validationLoss < trials[$1].validationLoss })
  else { throw failure! }
  for fold in compared..<max(settings.folds, compared) where !isCancelled {
    fits[chosen].append(try fitted(chosen, fold))
  }
  trials[chosen].isChosen = true

  let members = fits[chosen]
  let distribution = Selection.mixture(of: candidates[chosen].flow, members: members.count)
  let (initial, logPDF, sample) = try distribution(
    key, inputDim: data.shape.sample, contextDim: context?.shape.sample, dtype: data.dtype)
  return Selection(
    candidate: candidates[chosen], distribution: distribution,
    params: members.count == 1
      ? members[0].params : try initial.replacing("components", by: Params(members.map(\.params))),
    logPDF: logPDF, sample: sample, trials: trials, fits: members, isCancelled: isCancelled)
}
