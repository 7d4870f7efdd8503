import Tensors

/// The logistic function of each number.
///
/// Map: y = 1 / (1 + e⁻ˣ). log|det J| = −Σ (softplus(x) + softplus(−x)), which is finite for every finite x;
/// O(D). From x = 17 in float32 and x = 37 in float64, y is the largest number below 1.
///
/// Inverse: `Logit`; O(D). No parameters.
///
/// Domain: all reals; the codomain is the open interval (0, 1). Errors: none of its own.
public struct Sigmoid: ComposedBijection {
  /// Makes a logistic function.
  public init() {}

  public var composed: any Bijection { logistic("Sigmoid") }
}

/// The inverse of the logistic function, of each number.
///
/// Map: y = log x − log(1 − x). log|det J| = Σ (softplus(y) + softplus(−y)) = −Σ (log x + log(1 − x)); O(D).
///
/// Inverse: `Sigmoid`; O(D). No parameters.
///
/// Domain: the open interval (0, 1); the codomain is all reals. Values are not clipped, since a clip has no
/// inverse. Data that contain 0 or 1 need another layer in front, such as `PixelLogit`'s margin. Errors: none
/// of its own.
public struct Logit: ComposedBijection {
  /// Makes an inverse logistic function.
  public init() {}

  public var composed: any Bijection { Inverted(logistic("Logit")) }
}

private func logistic(_ name: String) -> Elementwise {
  // The slope y (1 − y) would be 0 where y rounds to 1.
  Elementwise(
    name, to: .unitInterval, sigmoid, inverse: { log($0) - log1p(-$0) },
    logSlope: logSigmoidSlope)
}
