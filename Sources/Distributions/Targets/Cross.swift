import Bijections
import Randomness
import Tensors

/// A cross in the plane: four normal distributions of equal weight.
///
/// Means (0, m), (−m, 0), (m, 0), (0, −m); deviations (s, 1) for the upper and the lower one, (1, s) for the others. It is
/// symmetric about both axes, as documented in NormalizingFlows.jl, whose code puts the means of two arms at height 1.
///
/// Parameters, frozen: those of `GaussianMixture`. Domain: all reals. Errors: its own.
///
/// Xu, Chen & Campbell 2023, *MixFlows*, arXiv 2205.07475, page 18.
public struct Cross: Distribution {
  private let mixture: GaussianMixture

  /// A cross whose arms are centred at a distance and have a deviation across.
  ///
  /// - Precondition: a positive deviation.
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
