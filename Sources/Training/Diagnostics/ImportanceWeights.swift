import Distributions
import Randomness
import Tensors

/// The weights p(x) / q(x) of a flow's draws, which tell of the fit and of the target's normalizer.
///
/// ```swift
/// let weights = try ImportanceWeights(fitted.sample, fitted.params, of: target, key: Key(1), draws: 10_000)
/// print(weights.elbo, "±", weights.elboError, weights.logEvidence, weights.paretoK)
/// let stable = weights.paretoSmoothed.normalized        // for expectations over the draws
/// ```
public struct ImportanceWeights: Sendable {
  /// The draws, `[count] + sample`, or nil where the weights were given.
  public let draws: Tensor?
  /// log p(x) − log q(x), in double precision; −∞ for a draw outside the target's support.
  public let logWeights: [Double]

  /// Weights whose logarithms are given.
  ///
  /// - Precondition: at least one; none is NaN.
  public init(logWeights: [Double]) { self.init(draws: nil, logWeights: logWeights) }

  private init(draws: Tensor?, logWeights: [Double]) {
    require(
      !logWeights.isEmpty && !logWeights.contains(where: \.isNaN),
      "importance weights are numbers, at least one")
    (self.draws, self.logWeights) = (draws, logWeights)
  }

  /// The weights of draws from a flow towards a target; of an amortised fit, for one row of context.
  ///
  /// Throws `notFinite` where a log-density of a draw is NaN, and the errors of flow and target.
  ///
  /// - Precondition: at least one draw.
  public init(
    _ sample: Sampler, _ params: Params, of target: Target, given context: Tensor? = nil, key: Key,
    draws count: Int = 10_000
  ) throws(FlowError) {
    require(count > 0, "importance weights need draws, got \(count)")
    let (x, logQ) = try sample.withLogPDF(key, params, count: count, given: context)
    let contexts = context?.broadcast(to: context!.shape.sample.batched(count))
    let values = (try target(x, given: contexts).cast(to: .float64) - logQ.cast(to: .float64)).doubles
    if let row = values.firstIndex(where: \.isNaN) {
      throw .notFinite(who: "ImportanceWeights", what: "log-densities", row: row)
    }
    self.init(draws: x, logWeights: values)
  }

  private var count: Double { Double(logWeights.count) }
  private var tensor: Tensor { Tensor(logWeights, dtype: .float64) }
  /// Whether a draw lies in the target's support.
  private var isSupported: Bool { logWeights.contains { $0 > -.infinity } }

  /// The ELBO: the mean of log w, at most the target's log-normalizer.
  public var elbo: Double { tensor.mean().item }

  /// The ELBO's standard error; +∞ where the ELBO is −∞.
  public var elboError: Double {
    let mean = elbo
    if mean.isInfinite { return .infinity }
    let squares = logWeights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / max(count - 1, 1) / count).squareRoot()
  }

  /// log ∫ p by importance sampling: log of the mean weight. Trust it where `paretoK` is below 0.7.
  public var logEvidence: Double { tensor.logSumExp(axis: 0).item - log(Tensor(count, dtype: .float64)).item }

  /// The standard error of `logEvidence`, to first order; +∞ where all weights are 0.
  public var logEvidenceError: Double { (max(1 / effectiveSampleSize - 1 / count, 0)).squareRoot() }

  /// The weights divided by their sum, one per draw; all 0 where no draw lies in the target's support.
  public var normalized: Tensor {
    isSupported ? tensor.softmax(axis: 0) : .zeros([logWeights.count], dtype: .float64)
  }

  /// (Σ w)² / Σ w², from 1 to the number of draws: the number of draws from the target that they are worth.
  ///
  /// It is 0 where no draw lies in the target's support.
  public var effectiveSampleSize: Double { isSupported ? 1 / square(normalized).sum().item : 0 }

  /// k̂, the shape of a generalized Pareto distribution fitted to the largest weights: w has moments up to 1
  /// / k̂.
  ///
  /// Below 0.5 importance sampling is reliable, up to 0.7 useful; above, the flow has missed part of the
  /// target. It is +∞ with fewer than five weights in the tail, where nothing can be said, and −∞ where all
  /// weights are equal.
  ///
  /// Vehtari, Simpson, Gelman, Yao & Gabry, *Pareto smoothed importance sampling*, arXiv 1507.02646; Yao et
  /// al. 2018, *Yes, but did it work?*, arXiv 1802.02538. Equal to ArviZ's.
  public var paretoK: Double { ParetoTail(ofLogWeights: logWeights).shape }

  /// Pareto-smoothed weights of the same draws: the largest are replaced by quantiles of the distribution
  /// fitted to them.
  ///
  /// Their variance is finite and their bias small where `paretoK` is below 0.7. They are the weights as they
  /// are where nothing can be fitted. Vehtari et al., arXiv 1507.02646, algorithm 1. Equal to ArviZ's.
  public var paretoSmoothed: ImportanceWeights {
    ImportanceWeights(draws: draws, logWeights: ParetoTail(ofLogWeights: logWeights).smoothed(logWeights))
  }
}
