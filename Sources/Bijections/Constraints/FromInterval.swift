import Tensors

/// A map from an interval with one or two finite ends to the reals, for each number.
///
/// Map: y = log(x − a) for x > a; y = log(b − x) for x < b; y = log(x − a) − log(b − x) for a < x < b.
///
/// log|det J| = −Σ y with one end; Σ (softplus(y) + softplus(−y) − log(b − a)) with two; O(D).
///
/// Inverse: a + eʸ, b − eʸ, or a + (b − a) / (1 + e⁻ʸ); O(D). No parameters. For positive numbers there are
/// also `Log` and `Inverted(Softplus())`, for (0, 1) `Logit`.
///
/// Domain: the open interval. Errors: `mismatch` for bounds, or a width, that the dtype cannot hold.
///
/// Carpenter et al. 2017, *Stan*, and Stan's reference manual, "Constraint transforms".
public struct FromInterval: ComposedBijection {
  // The bijection inside runs from the reals to the interval, since slopes do not cancel as functions of
  // the real number.
  public let composed: any Bijection

  /// Makes a map from (a, ∞).
  ///
  /// - Precondition: The bound is finite.
  public init(above a: Double) {
    require(a.isFinite, "a bound is finite, got \(a)")
    composed = FromInterval.from(
      .interval(a, .infinity), { a + exp($0) }, inverse: { log($0 - a) }, logSlope: { $0 })
  }

  /// Makes a map from (−∞, b).
  ///
  /// - Precondition: The bound is finite.
  public init(below b: Double) {
    require(b.isFinite, "a bound is finite, got \(b)")
    composed = FromInterval.from(
      .interval(-.infinity, b), { b - exp($0) }, inverse: { log(b - $0) }, logSlope: { $0 })
  }

  /// Makes a map from (a, b).
  ///
  /// - Precondition: The bounds are finite and in rising order.
  public init(_ a: Double, _ b: Double) { self.init("FromInterval", a, b) }

  /// Makes a map from (a, b) under another name.
  init(_ name: String, _ a: Double, _ b: Double) {
    require(a.isFinite && b.isFinite && a < b, "bounds are finite and rise, got \(a) and \(b)")
    let logWidth = log(Tensor(b - a, dtype: .float64)).item
    composed = FromInterval.from(
      .interval(a, b), named: name, constants: [("width", b - a)], { a + (b - a) * sigmoid($0) },
      inverse: { log($0 - a) - log(b - $0) },
      logSlope: { logWidth + logSigmoidSlope($0) })
  }

  private static func from(
    _ interval: Domain.Values, named name: String = "FromInterval",
    constants: [(name: String, value: Double)] = [], _ function: @escaping Elementwise.Function,
    inverse: @escaping Elementwise.Function, logSlope: @escaping Elementwise.Function
  ) -> Inverted {
    Inverted(Elementwise(name, constants, to: interval, function, inverse: inverse, logSlope: logSlope))
  }
}
