import Randomness
import Tensors

/// From K positive numbers of sum 1 to K − 1 reals, by breaking a stick.
///
/// Map, on the last axis: yₖ = log(xₖ / Σ_{j > k} xⱼ) + log(K − k) for k < K; equal shares give zeros.
///
/// log|det J| = −Σ_{k ≤ K} log xₖ, in the chart of the first K − 1 numbers: the volume of the simplex is dx₁ ⋯ dx_{K−1}, as
/// of the Dirichlet distribution's density. O(K).
///
/// Inverse: of what is left of the stick, the share 1 / (1 + e^{−uₖ}) breaks off, uₖ = yₖ − log(K − k); in logarithms; O(K). No
/// parameters.
///
/// Domain: positive numbers of sum 1, to 10⁻⁴; anything else throws. Errors: `mismatch` for fewer than two numbers.
///
/// Stan's reference manual, "Unit simplex".
public struct FromSimplex: Bijection {
  // ∂xₖ / ∂yₖ = xₖ rₖ₊₁ / rₖ with rₖ = Σ_{j ≥ k} xⱼ what is left before k, and x₁ … xₖ do not depend on later y: the
  // determinant of the inverse is Π xₖ Π rₖ₊₁ / rₖ over k < K, which telescopes to Π_{k < K} xₖ · r_K / r₁, r_K = x_K, r₁ = 1.

  /// A map from the simplex.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    if size < 2 {
      throw .mismatch(
        who: "FromSimplex", what: "inputDim", expected: "at least two numbers", got: "\(site.inputDim)")
    }
    let counts = Tensor((1..<size).map { Double(size - $0) }, dtype: .float64)
    let logCounts = log(counts).cast(to: site.dtype)
    return site.layer(
      "FromSimplex", from: Domain(site.inputDim, .simplex),
      to: Domain(site.inputDim.replacing(-1, by: size - 1))
    ) { _, x, _ in
      let left = x.flipped(axis: -1).cumulativeSum(axis: -1).flipped(axis: -1)
      let y = log(x.sliced(axis: -1, 0..<size - 1)) - log(left.sliced(axis: -1, 1..<size)) + logCounts
      return (y, -log(x).sumPerRow())
    } inverse: { _, y, _ in
      let u = y - logCounts
      let rest = logSigmoid(-u).cumulativeSum(axis: -1)
      let zero = Tensor.zeros(y.shape.replacing(-1, by: 1), dtype: y.dtype)
      let before = concatenate([zero, rest.sliced(axis: -1, 0..<size - 2)], axis: -1)
      let logX = concatenate([logSigmoid(u) + before, rest.sliced(axis: -1, size - 2..<size - 1)], axis: -1)
      return (exp(logX), logX.sumPerRow())
    }
  }
}
