import Bijections
import Networks
import Randomness
import Tensors

/// A mixture of normal distributions with full covariances: `Mixture` of `MultivariateNormal`.
///
/// log p(x) = log Σ_k w_k N(x; mean_k, covariance_k). Cost: O(D²) a row and component.
///
/// Draws: a component by its weight, then its normal draw.
///
/// Parameters: see `Mixture` and `MultivariateNormal`; frozen for a given mixture, learned for `GaussianMixture(components:)`,
/// whose means start as standard normal numbers and whose covariances start as 1, with equal weights.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for a shape that does not fit, negative weights, or a covariance
/// that is not symmetric and positive definite.
public struct GaussianMixture: Distribution {
  private let mixture: Mixture

  /// A given mixture. Weights are relative: they are normalized.
  ///
  /// - Precondition: as many covariances and weights as means, at least one.
  public init(means: [[Double]], covariances: [[[Double]]], weights: [Double]) {
    require(
      means.count == covariances.count && means.count == weights.count,
      "\(means.count) means, \(covariances.count) covariances and \(weights.count) weights")
    mixture = Mixture(
      zip(means, covariances).map { MultivariateNormal(mean: $0, covariance: $1) },
      weights: .fixed(Tensor(weights, dtype: .float64)))
  }

  /// A learned mixture.
  ///
  /// - Precondition: at least one component.
  public init(components: Int) {
    mixture = Mixture(
      count: components, of: MultivariateNormal(mean: .learned(drawn: .normal(standardDeviation: 1))))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try mixture.initialize(key, at: site)
  }
}
