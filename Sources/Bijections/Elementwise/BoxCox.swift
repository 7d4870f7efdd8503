import Tensors

/// A power of each positive number, shifted and scaled so that λ = 0 gives the logarithm: it takes skew out of data.
///
/// Map: y = (x^λ − 1) / λ, and log x for λ = 0; by expm1 of λ log x, so that λ near 0 does not cancel.
/// log|det J| = Σ (λ − 1) log x; O(D).
///
/// Inverse: x = (1 + λ y)^(1/λ), by log1p, and eʸ for λ = 0; O(D). No parameters: λ is fixed.
///
/// Domain: the positive numbers, to y > −1/λ for λ > 0, y < −1/λ for λ < 0 and all reals for λ = 0; others throw.
/// Errors: none of its own.
///
/// Box & Cox 1964, *An analysis of transformations*, J. Royal Stat. Soc. B 26, eq. 1.
public struct BoxCox: ComposedBijection {
  private let lambda: Double

  /// A Box-Cox transformation.
  ///
  /// - Precondition: λ is finite.
  public init(lambda: Double) {
    require(lambda.isFinite, "λ is finite, got \(lambda)")
    self.lambda = lambda
  }

  public var composed: any Bijection {
    let lambda = lambda
    return Elementwise("BoxCox", from: .positive, to: boxCoxRange(lambda)) {
      boxCox(log($0), lambda)
    } inverse: {
      exp(inverseBoxCox($0, lambda))
    } logSlope: {
      (lambda - 1) * log($0)
    }
  }
}

/// (e^(λu) − 1) / λ, and u for λ = 0.
func boxCox(_ u: Tensor, _ lambda: Double) -> Tensor { lambda == 0 ? u : expm1(lambda * u) / lambda }

/// u with (e^(λu) − 1) / λ = y.
func inverseBoxCox(_ y: Tensor, _ lambda: Double) -> Tensor { lambda == 0 ? y : log1p(lambda * y) / lambda }

/// The values of (e^(λu) − 1) / λ over all u.
private func boxCoxRange(_ lambda: Double) -> Domain.Values {
  if lambda == 0 { return .reals }
  return lambda > 0 ? .interval(-1 / lambda, .infinity) : .interval(-.infinity, -1 / lambda)
}
