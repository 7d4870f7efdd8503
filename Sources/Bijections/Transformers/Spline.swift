import Tensors

/// What all splines share: knots from raw parameters, the bin of a number, and tails.
package enum Spline {
  /// K + 1 rising knots from −bound to bound, from K raw numbers on the last axis: each bin has the share
  /// minimum + (1 − K · minimum) · softmax(raw) of the interval, and so none vanishes.
  package static func knots(_ raw: Tensor, bound: Double, minimum: Double) -> Tensor {
    let bins = raw.shape[-1]
    let share = minimum + (1 - minimum * Double(bins)) * raw.softmax(axis: -1)
    let inner = 2 * bound * share.sliced(axis: -1, 0..<bins - 1).cumulativeSum(axis: -1) - bound
    return padded(inner, -bound, bound)
  }

  /// A number before and one behind each row of the last axis.
  static func padded(_ x: Tensor, _ before: Double, _ behind: Double) -> Tensor {
    let end = x.shape.replacing(-1, by: 1)
    return concatenate([.full(end, before, dtype: x.dtype), x, .full(end, behind, dtype: x.dtype)], axis: -1)
  }

  /// The bin of each number x [N] among knots [N, K + 1]: how many inner knots are not above it. A knot belongs to the
  /// bin that it begins; what lies outside belongs to the outermost bins.
  static func bin(of x: Tensor, among knots: Tensor) -> Tensor {
    let inner = knots.detached.sliced(axis: -1, 1..<knots.shape[-1] - 1)
    return (inner .<= x.detached.expanded(axis: 1)).sum(axis: -1)
  }

  /// `body` within ±bound, the identity outside.
  ///
  /// Outside, `body` gets the nearest bound: a point where its values and derivatives are finite, so that the branch
  /// that is not taken cannot spoil a gradient.
  static func withIdentityTails(
    _ x: Tensor, bound: Double, _ body: (Tensor) -> (outputs: Tensor, logSlope: Tensor)
  ) -> (outputs: Tensor, logSlope: Tensor) {
    let isInside = abs(x.detached) .<= bound
    let (y, logSlope) = body(minimum(maximum(x, -bound), bound))
    return (select(where: isInside, y, x), select(where: isInside, logSlope, 0))
  }

  /// Stops a spline that could not be one.
  static func check(_ name: String, bins: Int, atLeast least: Int = 1, bound: Double, minima: [Double]) {
    require(bins >= least, "\(name): bins must be at least \(least), got \(bins)")
    require(bound > 0 && bound.isFinite, "\(name): the bound must be positive, got \(bound)")
    require(
      minima.allSatisfy { $0 > 0 && $0 * Double(bins) < 1 },
      "\(name): minimum bin sizes must be positive and leave room for \(bins) bins, got \(minima)")
  }
}
