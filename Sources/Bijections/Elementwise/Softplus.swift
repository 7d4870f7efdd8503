import Tensors

/// A smooth map of each number to a positive one.
///
/// Map: y = log(1 + eˣ). log|det J| = −Σ softplus(−x); O(D).
///
/// Inverse: x = y + log(1 − e⁻ʸ), computed by expm1 without cancellation; O(D). No parameters.
///
/// Domain: all reals; the codomain is the positive numbers. Errors: none of its own.
public struct Softplus: ComposedBijection {
  /// Makes a smooth map to the positive numbers.
  public init() {}

  public var composed: any Bijection {
    Elementwise(
      "Softplus", to: .positive, softplus, inverse: { $0 + log(-expm1(-$0)) }, logSlope: logSigmoid)
  }
}
