import Randomness
import Tensors

/// A map from K positive numbers of sum 1 to K − 1 reals, by breaking a stick.
///
/// Map, on the last axis: yₖ = log(xₖ / Σ_{j > k} xⱼ) + log(K − k) for k < K; equal shares give zeros.
///
/// log|det J| = −Σ_{k ≤ K} log xₖ, in the chart of the first K − 1 numbers. As for the density of a
/// Dirichlet distribution, the volume of the simplex is dx₁ ⋯ dx_{K−1}. O(K).
///
/// Inverse: xₖ is the share 1 / (1 + e^{−uₖ}) of the remaining stick, with uₖ = yₖ − log(K − k), computed
/// in logarithms; O(K). No parameters.
///
/// Domain: positive numbers of sum 1, to 10⁻⁴. Errors: `mismatch` for fewer than two numbers.
///
/// Stan's reference manual, "Unit simplex".
public struct FromSimplex: Bijection {
  // Let rₖ = Σ_{j ≥ k} xⱼ be the stick that remains before k. Then ∂xₖ / ∂yₖ = xₖ rₖ₊₁ / rₖ, and x₁ … xₖ do
  // not depend on later y. The determinant of the inverse is Π_{k < K} xₖ rₖ₊₁ / rₖ =
  // Π_{k < K} xₖ · r_K / r₁ with r_K = x_K and r₁ = 1.

  /// Makes a map from the simplex.
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
