import Tensors

/// The leaky rectifier: the identity for positive numbers and a multiple of it for negative ones.
///
/// Map: y = x for x ≥ 0, and slope · x otherwise. log|det J| = n log(slope) for a row with n negative
/// numbers; O(D).
///
/// Inverse: x = y for y ≥ 0, and y / slope otherwise; O(D). No parameters.
///
/// Domain: all reals; the derivative at 0 is defined as 1. Errors: `mismatch` for a slope that the dtype
/// cannot hold.
public struct LeakyReLU: ComposedBijection {
  private let slope: Double

  /// Makes a leaky rectifier.
  ///
  /// - Precondition: The slope is positive and finite; with slope 0 there is no inverse.
  public init(slope: Double = 0.01) {
    require(slope > 0 && slope < .infinity, "a leaky rectifier's slope is positive, got \(slope)")
    self.slope = slope
  }

  public var composed: any Bijection {
    let logSlope = log(Tensor(slope, dtype: .float64)).item
    return Elementwise(
      "LeakyReLU", [("slope", slope)], { select(where: $0 .< 0, slope * $0, $0) },
      inverse: { select(where: $0 .< 0, $0 / slope, $0) },
      logSlope: { logSlope * ($0 .< 0) })
  }
}
