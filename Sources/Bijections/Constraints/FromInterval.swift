import Tensors

/// From numbers on one side of a bound, or between two, to the reals.
///
/// Map, number by number: y = log(x − a) above a; y = log(b − x) below b; y = log(x − a) − log(b − x) between a and b.
///
/// log|det J| = −Σ y on one side of a bound; Σ softplus(y) + softplus(−y) − log(b − a) between two; O(D).
///
/// Inverse: a + eʸ, b − eʸ, or a + (b − a) / (1 + e⁻ʸ); O(D). No parameters. For positive numbers there are also `Log` and
/// `Inverted(Softplus())`, for (0, 1) `Logit`.
///
/// Domain: the open interval; its ends and what lies beyond throw. Errors: none of its own.
///
/// Carpenter et al. 2017, *Stan*, as in its reference manual, "Constraint transforms".
public struct FromInterval: ComposedBijection {
  // Data come in first, so the reals are the latent side; the slopes are written as functions of the real number, where
  // nothing cancels: x = a + eʸ has slope eʸ, the others alike.
  public let composed: any Bijection

  /// From (a, ∞).
  ///
  /// - Precondition: a finite bound.
  public init(above a: Double) {
    require(a.isFinite, "a bound is finite, got \(a)")
    composed = Inverted(
      Elementwise("FromInterval", to: .interval(a, .infinity)) {
        a + exp($0)
      } inverse: {
        log($0 - a)
      } logSlope: {
        $0
      })
  }

  /// From (−∞, b).
  ///
  /// - Precondition: a finite bound.
  public init(below b: Double) {
    require(b.isFinite, "a bound is finite, got \(b)")
    composed = Inverted(
      Elementwise("FromInterval", to: .interval(-.infinity, b)) {
        b - exp($0)
      } inverse: {
        log(b - $0)
      } logSlope: {
        $0
      })
  }

  /// From (a, b).
  ///
  /// - Precondition: finite bounds in rising order.
  public init(_ a: Double, _ b: Double) {
    require(a.isFinite && b.isFinite && a < b, "bounds are finite and rise, got \(a) and \(b)")
    let logWidth = log(Tensor(b - a, dtype: .float64)).item
    composed = Inverted(
      Elementwise("FromInterval", to: .interval(a, b)) {
        a + (b - a) * sigmoid($0)
      } inverse: {
        log($0 - a) - log(b - $0)
      } logSlope: {
        logWidth - softplus($0) - softplus(-$0)
      })
  }
}
