import Tensors

/// A Box-Cox transformation: a power of each positive number, shifted and scaled so that λ = 0 gives the
/// logarithm.
///
/// It reduces the skewness of data.
///
/// Map: y = (x^λ − 1) / λ, computed as expm1(λ log x) / λ without cancellation near λ = 0; log x for λ = 0.
/// log|det J| = Σ (λ − 1) log x; O(D).
///
/// Inverse: x = (1 + λ y)^(1/λ), computed by log1p; eʸ for λ = 0; O(D). No parameters: λ is a constant.
///
/// Domain: the positive numbers. The codomain is y > −1/λ for λ > 0, y < −1/λ for λ < 0, and all reals for
/// λ = 0. Errors: `mismatch` for a λ that the dtype cannot hold.
///
/// Box & Cox 1964, *An analysis of transformations*, J. Royal Stat. Soc. B 26, eq. 1.
public struct BoxCox: ComposedBijection {
  private let lambda: Double

  /// Makes a Box-Cox transformation.
  ///
  /// - Precondition: λ is finite.
  public init(lambda: Double) {
    require(lambda.isFinite, "λ is finite, got \(lambda)")
    self.lambda = exponent(lambda)
  }

  public var composed: any Bijection {
    let range: Domain.Values =
      lambda == 0
      ? .reals
      : lambda > 0 ? .interval(-1 / lambda, .infinity) : .interval(-.infinity, -1 / lambda)
    return Elementwise(
      "BoxCox", lambda == 0 ? [] : [("λ", lambda)], from: .positive, to: range, { boxCox(log($0), lambda) },
      inverse: { exp(inverseBoxCox($0, lambda)) },
      logSlope: { (lambda - 1) * log($0) })
  }
}

/// The exponent λ, or 0 for |λ| < 10⁻²⁰, where λ u vanishes beside 1 for the logarithm u of any number.
func exponent(_ lambda: Double) -> Double { abs(lambda) < 1e-20 ? 0 : lambda }

/// Computes (e^(λu) − 1) / λ, or u for λ = 0.
func boxCox(_ u: Tensor, _ lambda: Double) -> Tensor { lambda == 0 ? u : expm1(lambda * u) / lambda }

/// Computes u with (e^(λu) − 1) / λ = y.
func inverseBoxCox(_ y: Tensor, _ lambda: Double) -> Tensor { lambda == 0 ? y : log1p(lambda * y) / lambda }
