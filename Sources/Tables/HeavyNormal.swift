import Bijections
import Distributions
import Randomness
import Tensors

/// Independent numbers of a normal distribution with heavy tails: (1 − w) N(0, 1) + w t₂, with a learned
/// weight w for each number.
///
/// log p(x) = Σ log((1 − wᵢ) φ(xᵢ) + wᵢ t₂(xᵢ)) with t₂(x) = (2 + x²)^(−3/2). So a number far out costs some
/// nats, not thousands. Both cost O(D).
///
/// Parameters: `logit` [D], the logit of w, log(1/999) at first. Domain: all reals. A context is ignored.
struct HeavyNormal: Distribution {
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let boundary = site.boundary("HeavyNormal")
    return (
      ["logit": .leaf(.full(site.inputDim, -6.906754778648554, dtype: site.dtype))],
      LogPDF(boundary) { params, x, _ in HeavyNormal.logDensities(params, x).sumPerRow() },
      Sampler(boundary) { key, params, count, _ in
        let x = HeavyNormal.draw(key, params, count: count)
        return (x, HeavyNormal.logDensities(params, x).sumPerRow())
      }
    )
  }

  /// The log-density of each number.
  static func logDensities(_ params: Params, _ x: Tensor) -> Tensor {
    let logit = params["logit"]
    let normal = -0.5 * square(x) - 0.91893853320467274 - softplus(logit)
    // (2 + x²) would overflow in float32 for |x| above 10¹⁹.
    let heavy = -1.5 * (2 * log(maximum(abs(x), 1)) + log(2 / square(maximum(abs(x), 1)) + square(ratio(x))))
    let tail = heavy - softplus(-logit)
    return maximum(normal, tail) + softplus(-abs(normal - tail))
  }

  /// x / max(|x|, 1).
  private static func ratio(_ x: Tensor) -> Tensor { x / maximum(abs(x), 1) }

  private static func draw(_ key: Key, _ params: Params, count: Int) -> Tensor {
    let logit = params["logit"]
    let shape = logit.shape.batched(count)
    let isHeavy = key.folded(in: 0).uniform(shape, dtype: logit.dtype) .< sigmoid(logit)
    let t = StudentT(degreesOfFreedom: 2).draw(key.folded(in: 1), shape, dtype: logit.dtype)
    return select(where: isHeavy, t, key.folded(in: 2).normal(shape, dtype: logit.dtype))
  }
}
