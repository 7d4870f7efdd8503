import Bijections
import Randomness
import Tensors

/// The cross: a mixture of four normal distributions in the plane with equal weights.
///
/// The means are (0, m), (−m, 0), (m, 0) and (0, −m). The standard deviations are (s, 1) for the upper and
/// the lower arm and (1, s) for the others. The density is symmetric about both axes, as in the documentation
/// of NormalizingFlows.jl. The code there places the means of two arms at height 1.
///
/// Parameters: those of `GaussianMixture`, frozen. Domain: all reals. Errors: those of `GaussianMixture`.
///
/// Xu, Chen & Campbell 2023, *MixFlows*, arXiv 2205.07475, page 18.
public struct Cross: Distribution {
  private let mixture: GaussianMixture

  /// Makes a cross with the arms' distance m and their standard deviation s across.
  ///
  /// - Precondition: The deviation is positive.
  public init(distance: Double = 2, deviation: Double = 0.15) {
    require(deviation > 0, "a deviation is positive, got \(deviation)")
    let (m, v) = (distance, deviation * deviation)
    let (upright, lying) = ([[v, 0], [0, 1]], [[1, 0], [0, v]])
    mixture = GaussianMixture(
      means: [[0, m], [-m, 0], [m, 0], [0, -m]], covariances: [upright, lying, lying, upright],
      weights: [1, 1, 1, 1])
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try mixture.initialize(key, at: site)
  }
}
