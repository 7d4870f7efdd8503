import Tensors

/// The positive derivatives at the knots of a spline, from raw numbers.
///
/// They are a softplus above a minimum, with an offset such that a raw 0 gives 1. They are at most 10⁶, so
/// that their squares are finite in float32.
struct KnotDerivatives: Sendable {
  /// The minimum derivative.
  let minimum: Double
  /// The offset that makes a raw derivative of 0 the derivative 1.
  let offset: Double
  private let isCircular: Bool

  /// Describes derivatives above `minimum`, which is between 0 and 1.
  init(_ who: String, atLeast minimum: Double, isCircular: Bool = false) {
    require(minimum > 0 && minimum < 1, "\(who): 0 < minimumDerivative < 1")
    (self.minimum, self.isCircular) = (minimum, isCircular)
    offset = log(expm1(Tensor(1 - minimum, dtype: .float64))).item
  }

  /// Computes the derivatives [N, K + 1] at all knots: 1 at both ends, or equal ones on a circle.
  func callAsFunction(_ raw: Tensor) -> Tensor {
    let learned = Tensors.minimum(minimum + softplus(raw + offset), 1e6)
    return isCircular
      ? concatenate([learned, learned.columns(0..<1)], axis: 1) : Spline.padded(learned, 1, 1)
  }
}
