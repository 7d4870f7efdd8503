import Bijections
import Randomness
import Tensors

/// The uniform distribution on the sphere of unit vectors.
///
/// log p(x) = −log(2 π^(n/2) / Γ(n/2)) for vectors of n numbers, with respect to areas of the sphere; −∞ for
/// vectors whose length is not 1, to 10⁻⁴. Leading axes hold independent vectors. The cost is O(n).
///
/// Draws: normal numbers divided by their length. No parameters. A context is ignored. Errors: `mismatch` for
/// fewer than two numbers.
public struct UniformSphere: Distribution {
  /// Makes a uniform distribution.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try site.expect(site.channels > 1, "UniformSphere", "inputDim", "at least two numbers")
    let (half, vectors) = (Double(site.channels) / 2, Double(site.positions))
    // Γ of a half-integer, by its recurrence.
    var logGamma = site.channels % 2 == 0 ? 0 : 0.5 * logarithm(.pi)
    for k in stride(from: site.channels % 2 == 0 ? 1 : 0.5, to: half, by: 1) { logGamma += logarithm(k) }
    let constant = -vectors * (logarithm(2) + half * logarithm(.pi) - logGamma)
    @Sendable func logDensity(_ x: Tensor) -> Tensor { 0 * x.sumPerRow() + constant }
    return (
      .empty,
      LogPDF(site.boundary("UniformSphere", Domain(site.inputDim, .unitVectors))) { _, x, _ in logDensity(x)
      },
      Sampler(site.boundary("UniformSphere")) { key, _, count, _ in
        let z = key.normal(site.inputDim.batched(count), dtype: site.dtype)
        let x = z / sqrt(square(z).sum(axis: -1, keepDims: true))
        return (x, logDensity(x))
      }
    )
  }
}
