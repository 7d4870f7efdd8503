import Bijections
import Randomness
import Tensors

/// Neal's funnel: normal variables with a common log-normal scale.
///
/// x₁ ~ N(m, s²) and xᵢ = exp(x₁ / 2) zᵢ for i > 1, with z standard normal. So log p(x) = log N(x₁; m, s²) +
/// Σ log N(xᵢ e^(−x₁/2)) − (D − 1) x₁ / 2. Densities and draws cost O(D). Neal uses s = 3.
///
/// Parameters: those of the normal distribution, frozen. A context is ignored. Domain: all reals. Errors:
/// `mismatch` for samples that are not vectors of at least two numbers.
///
/// Neal 2003, *Slice sampling*, Annals of Statistics 31 (3), section 8.
public struct Funnel: Distribution {
  private let mean: Double
  private let deviation: Double

  /// Makes a funnel whose first number has mean m and standard deviation s.
  ///
  /// - Precondition: The deviation is positive.
  public init(mean: Double = 0, deviation: Double = 3) {
    require(deviation > 0, "a deviation is positive, got \(deviation)")
    (self.mean, self.deviation) = (mean, deviation)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let size = try site.vectorSize(of: "Funnel", atLeast: 2)
    let straight = Lambda { _, site in
      @Sendable func scaled(_ x: Tensor, by sign: Double) -> (Tensor, Tensor) {
        let first = x.sliced(axis: 1, 0..<1)
        let logScale = sign * 0.5 * first
        return (
          concatenate([first, x.sliced(axis: 1, 1..<size) * exp(logScale)], axis: 1),
          Double(size - 1) * logScale.reshaped(to: [x.rows])
        )
      }
      return site.layer(
        "Funnel", forward: { _, x, _ in scaled(x, by: -1) }, inverse: { _, z, _ in scaled(z, by: 1) })
    }
    let rest = [Double](repeating: 0, count: size - 1)
    let normal = Normal(location: .fixed([mean] + rest), scale: .fixed([deviation] + rest.map { _ in 1 }))
    return try Flow(straight, prior: normal).initialize(key, at: site)
  }
}
