import Bijections
import Distributions
import Randomness
import Tensors

/// A mixture of fitted flows: the candidates that a selection took, with one fit per fold each.
public struct Selection: Sendable {
  /// The distribution: a `Mixture` of the members, or the flow itself if there is one.
  public let distribution: any Distribution
  /// Its parameters.
  public let params: Params
  /// Its log-density.
  public let logPDF: LogPDF
  /// Its sampler.
  public let sample: Sampler
  /// The candidates that were tried, in their order.
  public let trials: [Trial]
  /// The members of the mixture.
  public let members: [Member]
  /// The loss of the mixture on the held-out rows, each under the fits that did not see it, in nats per row.
  ///
  /// Infinity where nothing was held out. The weights are fitted to the same rows, and they are few.
  public let validationLoss: Double
  /// The rows that each fold held out: indices of the data. After a cancellation, those of the folds so far.
  public let heldOut: [[Int]]
  /// Whether the task was cancelled. The members then are the fits so far.
  public let isCancelled: Bool

  /// One fit of a candidate.
  public struct Member: Sendable {
    /// The candidate's index.
    public let candidate: Int
    /// The fit.
    public let fit: Fitted
    /// The weight in the mixture.
    public let weight: Double
  }

  /// The weighted mean of the members' training losses in their best epochs; NaN if one was cancelled before
  /// its first epoch ended.
  public var trainingLoss: Double {
    members.reduce(0) { $0 + $1.weight * ($1.fit.history.isEmpty ? .nan : $1.fit.bestRecord.trainingLoss) }
  }

  /// The distribution of weighted members.
  public static func mixture(of flows: [Flow], weights: [Double]) -> any Distribution {
    flows.count == 1 ? flows[0] : Mixture(flows, weights: .fixed(Tensor(weights, dtype: .float64)))
  }
}

/// The way in which a selection combines candidates.
public enum Combination: Sendable, Hashable {
  /// Takes the candidate with the lowest validation loss.
  case best
  /// Mixes the candidates with the weights that minimize the loss of the held-out rows. Weights below 0.02
  /// become 0.
  case stacked
}
