import Randomness
import Tensors

/// A radial layer: a contraction or an expansion about a point.
///
/// Map: y = x + β h (x − c) with r = |x − c| and h = 1 / (α + r) over all D numbers of a sample. Here
/// α = softplus(a) and β = −α + softplus(s), so β > −α, and the map is invertible.
///
/// log|det J| = (D − 1) log(1 + β h) + log(1 + β h − β h² r); O(D).
///
/// Inverse: in closed form, from the positive root of a quadratic equation for r; O(D).
///
/// Parameters: `center` [D], standard normal at first; `alpha` and `beta` [1], the raw a and s. They start
/// equal with α = 1, which gives the identity.
///
/// Domain: all reals; the log-det has a kink at the centre, where its derivative is defined as 0. A context
/// is ignored. Errors: none of its own.
///
/// Rezende & Mohamed 2015, *Variational Inference with Normalizing Flows*, arXiv 1505.05770, eqs. 13-14 and
/// appendix A.2.
public struct Radial: Bijection {
  // With σ = α + β = softplus(s) > 0, the following are quotients of sums of positive numbers without
  // cancellation:
  //
  //     1 + β h = (r + σ) / (r + α),    1 + β h − β h² r = (r² + 2 α r + α σ) / (r + α)².
  //
  // Inverse: γ = |y − c| = r (r + σ) / (r + α), that is r² + (σ − γ) r − α γ = 0. With p = σ − γ the
  // positive root is (−p + √(p² + 4 α γ)) / 2, which cancels for p > 0: there it is 2 α γ / (p + √(p² + 4 α
  // γ)).

  /// Makes a radial layer.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.inputDim.count
    let start = Tensor.full([1], 0.54132485461291811, dtype: site.dtype)  // softplus⁻¹(1)
    let params: Params = [
      "center": .leaf(key.normal([size]).cast(to: site.dtype)), "alpha": .leaf(start), "beta": .leaf(start),
    ]

    @Sendable func logDet(_ r: Tensor, _ alpha: Tensor, _ sigma: Tensor) -> Tensor {
      Double(size - 1) * log(r + sigma) + log(square(r) + 2 * alpha * r + alpha * sigma)
        - Double(size + 1) * log(r + alpha)
    }
    return site.layer("Radial", params) { params, x, _ in
      let (alpha, sigma) = (softplus(params["alpha"]), softplus(params["beta"]))
      let offset = x.flatRows - params["center"]
      let r = sqrt(square(offset).sumPerRow())
      let y = params["center"] + ((r + sigma) / (r + alpha)).expanded(axis: 1) * offset
      return (y.reshaped(to: x.shape), logDet(r, alpha, sigma))
    } inverse: { params, y, _ in
      let (alpha, sigma) = (softplus(params["alpha"]), softplus(params["beta"]))
      let offset = y.flatRows - params["center"]
      let gamma = sqrt(square(offset).sumPerRow())
      let p = sigma - gamma
      let root = sqrt(square(p) + 4 * alpha * gamma)
      let isPositive = p .> 0
      let r = select(
        where: isPositive, 2 * alpha * gamma / select(where: isPositive, p + root, 1), 0.5 * (root - p))
      let x = params["center"] + ((r + alpha) / (r + sigma)).expanded(axis: 1) * offset
      return (x.reshaped(to: y.shape), -logDet(r, alpha, sigma))
    }
  }
}
