import Tensors

/// The Box-Cox map for all reals: a power with slope 1 at 0, λ on the positive side and 2 − λ on the negative one.
///
/// Map: y = ((1 + x)^λ − 1) / λ for x ≥ 0, and −((1 − x)^(2−λ) − 1) / (2 − λ) below; log(1 + x) and −log(1 − x) where the
/// exponent is 0. λ = 1 is the identity. log|det J| = Σ sign(x) (λ − 1) log(1 + |x|); O(D).
///
/// Inverse: x = (1 + λ y)^(1/λ) − 1 for y ≥ 0, and 1 − (1 − (2 − λ) y)^(1/(2−λ)) below; O(D). No parameters: λ is fixed.
///
/// Domain: all reals, to all reals for 0 ≤ λ ≤ 2; to y < −1/λ for λ < 0 and to y > 1/(2 − λ) for λ > 2, where others
/// throw. Errors: none of its own.
///
/// Yeo & Johnson 2000, *A new family of power transformations to improve normality or symmetry*, Biometrika 87.
public struct YeoJohnson: ComposedBijection {
  private let lambda: Double

  /// A Yeo-Johnson transformation.
  ///
  /// - Precondition: λ is finite.
  public init(lambda: Double) {
    require(lambda.isFinite, "λ is finite, got \(lambda)")
    self.lambda = lambda
  }

  public var composed: any Bijection {
    let lambda = lambda
    let range: Domain.Values =
      lambda < 0
      ? .interval(-.infinity, -1 / lambda) : lambda > 2 ? .interval(1 / (2 - lambda), .infinity) : .reals
    return Elementwise("YeoJohnson", to: range) { x in
      bySide(x) {
        boxCox(log1p($0), lambda)
      } below: {
        -boxCox(log1p($0), 2 - lambda)
      }
    } inverse: { y in
      bySide(y) {
        expm1(inverseBoxCox($0, lambda))
      } below: {
        -expm1(inverseBoxCox($0, 2 - lambda))
      }
    } logSlope: { x in
      bySide(x) {
        (lambda - 1) * log1p($0)
      } below: {
        (1 - lambda) * log1p($0)
      }
    }
  }
}

/// One function of x where x ≥ 0 and another of −x below. Each is given 0 on the other's side, where a power of the
/// wrong sign would be NaN and poison the derivative.
private func bySide(_ x: Tensor, _ above: (Tensor) -> Tensor, below: (Tensor) -> Tensor) -> Tensor {
  let isAbove = x .>= 0
  return select(where: isAbove, above(select(where: isAbove, x, 0)), below(select(where: isAbove, 0, -x)))
}
