import Tensors

/// A Yeo-Johnson transformation: a power for all reals, with exponent λ for positive and 2 − λ for negative
/// numbers.
///
/// Map: y = ((1 + x)^λ − 1) / λ for x ≥ 0, and −((1 − x)^(2−λ) − 1) / (2 − λ) otherwise. If the exponent is
/// 0, log(1 + x) and −log(1 − x). λ = 1 is the identity. log|det J| = Σ sign(x) (λ − 1) log(1 + |x|); O(D).
///
/// Inverse: x = (1 + λ y)^(1/λ) − 1 for y ≥ 0, and 1 − (1 − (2 − λ) y)^(1/(2−λ)) otherwise; O(D). No
/// parameters: λ is a constant.
///
/// Domain: all reals. The codomain is y < −1/λ for λ < 0, y > 1/(2 − λ) for λ > 2, and all reals otherwise.
/// Errors: `mismatch` for a λ that the dtype cannot hold.
///
/// Yeo & Johnson 2000, *A new family of power transformations to improve normality or symmetry*, Biometrika
/// 87.
public struct YeoJohnson: ComposedBijection {
  private let lambda: Double

  /// Makes a Yeo-Johnson transformation.
  ///
  /// - Precondition: λ is finite.
  public init(lambda: Double) {
    require(lambda.isFinite, "λ is finite, got \(lambda)")
    self.lambda = exponent(lambda)
  }

  public var composed: any Bijection {
    let range: Domain.Values =
      lambda < 0
      ? .interval(-.infinity, -1 / lambda) : lambda > 2 ? .interval(1 / (2 - lambda), .infinity) : .reals
    return Elementwise(
      "YeoJohnson", lambda == 0 ? [] : [("λ", lambda)], to: range,
      { bySide($0, { boxCox(log1p($0), lambda) }, below: { -boxCox(log1p($0), 2 - lambda) }) },
      inverse: {
        bySide($0, { expm1(inverseBoxCox($0, lambda)) }, below: { -expm1(inverseBoxCox($0, 2 - lambda)) })
      },
      logSlope: { bySide($0, { (lambda - 1) * log1p($0) }, below: { (1 - lambda) * log1p($0) }) })
  }
}

/// Computes one function of x where x ≥ 0 and another function of −x elsewhere.
///
/// Each function receives 0 for the other's numbers, since a power of a wrong sign would be NaN and spoil the
/// derivative.
private func bySide(_ x: Tensor, _ above: (Tensor) -> Tensor, below: (Tensor) -> Tensor) -> Tensor {
  let isAbove = x .>= 0
  return select(where: isAbove, above(select(where: isAbove, x, 0)), below(select(where: isAbove, 0, -x)))
}
