import Tensors

/// A smooth map of each number to the positive ones.
///
/// Map: y = log(1 + eˣ). log|det J| = Σ −softplus(−x), the logarithm of the logistic function; O(D).
///
/// Inverse: x = y + log(1 − e⁻ʸ), by expm1, so that neither end cancels; O(D). No parameters.
///
/// Domain: all reals, to the positive numbers. Errors: backwards, a value that is not positive throws.
public struct Softplus: ComposedBijection {
  /// A smooth map to the positive numbers.
  public init() {}

  public var composed: any Bijection {
    Elementwise("Softplus", to: .positive) {
      softplus($0)
    } inverse: {
      $0 + log(-expm1(-$0))
    } logSlope: {
      logSigmoid($0)
    }
  }
}
