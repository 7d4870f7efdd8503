import Bijections
import Networks
import Randomness
import Tensors

/// A mixture of normal distributions with full covariances, a `Mixture` of `MultivariateNormal`.
///
/// log p(x) = log Σ_k w_k N(x; mean_k, covariance_k). Cost: O(D²) per row and component.
///
/// Draws: a normal draw from a component, which is chosen by its weight.
///
/// Parameters: those of `Mixture` and `MultivariateNormal`, frozen for a given mixture.
/// `GaussianMixture(components:)` learns them. Its means start as standard normal numbers, its covariances as
/// the identity, its weights as equal.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for a wrong shape, negative weights, or a
/// covariance that is not symmetric and positive definite.
public struct GaussianMixture: Distribution {
  private let mixture: Mixture

  /// Makes a given mixture. The weights are normalized.
  ///
  /// - Precondition: There are as many covariances and weights as means, at least one.
  public init(means: [[Double]], covariances: [[[Double]]], weights: [Double]) {
    require(
      means.count == covariances.count && means.count == weights.count,
      "\(means.count) means, \(covariances.count) covariances and \(weights.count) weights")
    mixture = Mixture(
      zip(means, covariances).map { MultivariateNormal(mean: $0, covariance: $1) },
      weights: .fixed(weights))
  }

  /// Makes a learned mixture.
  ///
  /// - Precondition: There is at least one component.
  public init(components: Int) {
    mixture = Mixture(
      count: components, of: MultivariateNormal(mean: .learned(drawn: .normal(standardDeviation: 1))))
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try mixture.initialize(key, at: site)
  }
}
