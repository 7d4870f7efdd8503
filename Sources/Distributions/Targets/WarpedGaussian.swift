import Bijections
import Randomness
import Tensors

/// A warped normal distribution in the plane: each point is rotated about the origin by half its distance
/// from it.
///
/// With z ~ N(0, diag(σ₁², σ₂²)) and r = |z|, x is z rotated by −r/2. Since |x| = |z|, z is x rotated by r/2.
/// Rotating each circle by its own angle preserves area, so log p(x) = log N(z; 0, diag(σ²)).
///
/// Parameters: those of the normal distribution, frozen. A context is ignored. Domain: all reals. Errors:
/// `mismatch` for samples that are not vectors of two numbers.
///
/// Xu, Chen & Campbell 2023, *MixFlows*, arXiv 2205.07475, page 18.
public struct WarpedGaussian: Distribution {
  private let deviations: [Double]

  /// Makes a warped normal distribution with the standard deviations σ₁ and σ₂.
  ///
  /// - Precondition: The deviations are positive.
  public init(deviations first: Double = 1, _ second: Double = 0.12) {
    require(first > 0 && second > 0, "deviations are positive, got \(first) and \(second)")
    deviations = [first, second]
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    if site.inputDim != [2] {
      throw .mismatch(who: "WarpedGaussian", what: "inputDim", expected: "[2]", got: "\(site.inputDim)")
    }
    let straight = Lambda { _, site in
      site.signed("WarpedGaussian") { x, sign in
        let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
        let angle = sign * 0.5 * sqrt(square(a) + square(b))
        let (cosine, sine) = (cos(angle), sin(angle))
        return concatenate([a * cosine - b * sine, a * sine + b * cosine], axis: 1)
      }
    }
    return try Flow(straight, prior: Normal(location: 0, scale: .fixed(deviations)))
      .initialize(key, at: site)
  }
}
