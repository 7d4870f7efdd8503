import Tensors

/// The hyperbolic tangent of each number.
///
/// Map: y = tanh x. log|det J| = Σ 2 (log 2 − x − softplus(−2x)), finite for every finite x; O(D).
///
/// Inverse: x = ½ (log(1 + y) − log(1 − y)); O(D). No parameters.
///
/// Domain: all reals, to the open interval (−1, 1). Errors: backwards, a value outside (−1, 1), ±1 included, throws.
public struct Tanh: ComposedBijection {
  /// A hyperbolic tangent.
  public init() {}

  public var composed: any Bijection {
    // y′ = 1 − y² = 4 / (eˣ + e⁻ˣ)² = 4 e⁻²ˣ / (1 + e⁻²ˣ)².
    Elementwise("Tanh", to: .interval(-1, 1)) {
      tanh($0)
    } inverse: {
      0.5 * (log1p($0) - log1p(-$0))
    } logSlope: {
      2 * (0.69314718055994530942 - $0 - softplus(-2 * $0))
    }
  }
}
