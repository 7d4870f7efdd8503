import Tensors

/// The logistic function of each number.
///
/// Map: y = 1 / (1 + e⁻ˣ). log|det J| = Σ −softplus(x) − softplus(−x), finite for every finite x, also where y rounds to
/// 1 (x = 17 in float32, 37 in float64); O(D).
///
/// Inverse: `Logit`; O(D). No parameters.
///
/// Domain: all reals, to the open interval (0, 1). Errors: backwards, a value outside (0, 1), 0 and 1 included, throws.
public struct Sigmoid: ComposedBijection {
  /// A logistic function.
  public init() {}

  public var composed: any Bijection { logistic("Sigmoid") }
}

/// The inverse of the logistic function, of each number: from (0, 1) to the reals.
///
/// Map: y = log x − log(1 − x). log|det J| = Σ softplus(y) + softplus(−y) = −Σ log x + log(1 − x); O(D).
///
/// Inverse: `Sigmoid`; O(D). No parameters.
///
/// Domain: the open interval (0, 1). Nothing is clipped, since a clip has no inverse: 0, 1 and what lies beyond throw. Data
/// with zeros and ones need a map into the interval first, x ↦ ε + (1 − 2ε) x for instance. Errors: none of its own.
public struct Logit: ComposedBijection {
  /// An inverse logistic function.
  public init() {}

  public var composed: any Bijection { Inverted(logistic("Logit")) }
}

/// The pair's one description. y′ = y (1 − y), whose logarithm would be −∞ where y rounds to 1.
private func logistic(_ name: String) -> Elementwise {
  Elementwise(name, to: .unitInterval) {
    sigmoid($0)
  } inverse: {
    log($0) - log1p(-$0)
  } logSlope: {
    -softplus($0) - softplus(-$0)
  }
}
