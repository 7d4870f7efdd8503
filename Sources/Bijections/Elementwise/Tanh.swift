import Tensors

/// The hyperbolic tangent of each number.
///
/// Map: y = tanh x. log|det J| = Σ 2 (log 2 − x − softplus(−2x)), which is finite for every finite x; O(D).
///
/// Inverse: x = ½ (log(1 + y) − log(1 − y)); O(D). No parameters.
///
/// Domain: all reals; the codomain is the open interval (−1, 1). Errors: none of its own.
public struct Tanh: ComposedBijection {
  /// Makes a hyperbolic tangent.
  public init() {}

  public var composed: any Bijection {
    Elementwise(
      "Tanh", to: .interval(-1, 1), tanh, inverse: { 0.5 * (log1p($0) - log1p(-$0)) },
      logSlope: logTanhSlope)
  }
}
