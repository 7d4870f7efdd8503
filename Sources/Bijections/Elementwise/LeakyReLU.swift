import Tensors

/// The identity for positive numbers and a multiple of it for negative ones.
///
/// Map: y = x for x ≥ 0, slope · x below. log|det J| = log(slope) · (how many numbers are negative), a row; O(D).
///
/// Inverse: x = y for y ≥ 0, y / slope below; O(D). No parameters.
///
/// Domain: all reals; at 0, where the map has a kink, the slope is taken as 1. Errors: none of its own.
public struct LeakyReLU: ComposedBijection {
  private let slope: Double

  /// A leaky rectifier.
  ///
  /// - Precondition: the slope is positive and finite; 0 would not be invertible.
  public init(slope: Double = 0.01) {
    require(slope > 0 && slope < .infinity, "a leaky rectifier's slope is positive, got \(slope)")
    self.slope = slope
  }

  public var composed: any Bijection {
    let (slope, logSlope) = (slope, log(Tensor(slope, dtype: .float64)).item)
    return Elementwise("LeakyReLU") {
      select(where: $0 .< 0, slope * $0, $0)
    } inverse: {
      select(where: $0 .< 0, $0 / slope, $0)
    } logSlope: {
      logSlope * ($0 .< 0)
    }
  }
}
