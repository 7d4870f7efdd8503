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
/// `GaussianMixture(components:)` learns them. With `initInputs` they start as the mixture that
/// expectation-maximization fits to these rows. Without them the means start as standard normal numbers, the
/// covariances as the identity, the weights as equal.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for a wrong shape, negative weights, or a
/// covariance that is not symmetric and positive definite.
public struct GaussianMixture: Distribution {
  private let mixture: Mixture
  /// The number of components and the shrinkage of a learned mixture.
  private var learned: (components: Int, shrinkage: Double)?

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
  /// - Parameters:
  ///   - components: The number of components.
  ///   - shrinkage: The weight in rows of a prior that shrinks the initial covariances towards diagonal ones.
  /// - Precondition: There is at least one component, and the shrinkage is positive.
  public init(components: Int, shrinkage: Double = 1) {
    require(shrinkage > 0, "GaussianMixture: the shrinkage is positive, got \(shrinkage)")
    mixture = Mixture(
      count: components, of: MultivariateNormal(mean: .learned(drawn: .normal(standardDeviation: 1))))
    learned = (components, shrinkage)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    guard let learned, let data = site.initInputs else { return try mixture.initialize(key, at: site) }
    let start = ExpectationMaximization(
      components: learned.components, to: data.reshaped(to: [data.rows, data.shape.sample.count]),
      shrinkage: learned.shrinkage,
      key: key.folded(in: 2))
    let components = zip(start.means, start.covariances).map {
      MultivariateNormal(mean: .learned(from: $0), covariance: .learned(from: $1))
    }
    let weights = Tensor(start.weights, dtype: .float64)
    return try Mixture(components, weights: .learned(from: weights)).initialize(key, at: site)
  }
}
