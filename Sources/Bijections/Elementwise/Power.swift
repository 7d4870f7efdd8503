import Tensors

/// A constant power of each positive number.
///
/// Map: y = xᵖ. log|det J| = Σ log|p| + (p − 1) log x; O(D). Inverse: x = y^(1/p); O(D). No parameters.
///
/// Domain: the positive numbers, which are also the codomain. `YeoJohnson` is a power for all reals. Errors:
/// `mismatch` for an exponent, or its reciprocal, that the dtype cannot hold.
public struct Power: ComposedBijection {
  private let exponent: Double

  /// Makes a power of positive numbers.
  ///
  /// - Precondition: The exponent is finite and not 0.
  public init(_ exponent: Double) {
    require(
      exponent != 0 && exponent.isFinite, "an invertible power is not 0 and is finite, got \(exponent)")
    self.exponent = exponent
  }

  public var composed: any Bijection {
    let constant = log(abs(Tensor(exponent, dtype: .float64))).item
    return Elementwise(
      "Power", [("exponent", exponent), ("inverse exponent", 1 / exponent)], from: .positive, to: .positive,
      { pow($0, exponent) },
      inverse: { pow($0, 1 / exponent) },
      logSlope: { constant + (exponent - 1) * log($0) })
  }
}
