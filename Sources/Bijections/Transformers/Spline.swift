import Tensors

/// The common settings of splines: their bins, their interval ±bound, and the identity outside it.
package struct Spline: Sendable {
  let bins: Int
  let bound: Double
  let minimumBin: Double

  /// Makes the settings of a spline.
  ///
  /// - Precondition: There are enough bins, the bound is positive, and the minimum bins fit into the
  ///   interval.
  package init(_ name: String, bins: Int, atLeast least: Int = 1, bound: Double, minimumBin: Double) {
    require(bins >= least, "\(name): bins must be at least \(least), got \(bins)")
    require(bound > 0 && bound.isFinite, "\(name): the bound must be positive, got \(bound)")
    require(
      minimumBin > 0 && minimumBin * Double(bins) < 1,
      "\(name): minimum bin sizes must be positive and leave room for \(bins) bins, got \(minimumBin)")
    (self.bins, self.bound, self.minimumBin) = (bins, bound, minimumBin)
  }

  /// Computes K + 1 rising knots from −bound to bound from K raw numbers on the last axis.
  ///
  /// Each bin has the share minimumBin + (1 − K · minimumBin) · softmax(raw) of the interval.
  package func knots(_ raw: Tensor) -> Tensor {
    let share = minimumBin + (1 - minimumBin * Double(bins)) * raw.softmax(axis: -1)
    let inner = 2 * bound * share.sliced(axis: -1, 0..<bins - 1).cumulativeSum(axis: -1) - bound
    return Spline.padded(inner, -bound, bound)
  }

  /// Adds a number before and a number behind each row of the last axis.
  static func padded(_ x: Tensor, _ before: Double, _ behind: Double) -> Tensor {
    let end = x.shape.replacing(-1, by: 1)
    return concatenate([.full(end, before, dtype: x.dtype), x, .full(end, behind, dtype: x.dtype)], axis: -1)
  }

  /// Finds the bin of each number x [N] among knots [N, K + 1].
  ///
  /// A knot belongs to the bin that it begins. Numbers outside the interval belong to the outermost bins.
  static func bin(of x: Tensor, among knots: Tensor) -> Tensor {
    let inner = knots.detached.sliced(axis: -1, 1..<knots.shape[-1] - 1)
    return (inner .<= x.detached.expanded(axis: 1)).sum(axis: -1)
  }

  /// Applies `body` within ±bound and the identity outside.
  ///
  /// For numbers outside, `body` receives the nearest bound. Its values and derivatives are finite there,
  /// so the unused branch cannot spoil a gradient.
  func withIdentityTails(
    _ x: Tensor, _ body: (Tensor) -> (outputs: Tensor, logSlope: Tensor)
  ) -> (outputs: Tensor, logSlope: Tensor) {
    let isInside = abs(x.detached) .<= bound
    let (y, logSlope) = body(minimum(maximum(x, -bound), bound))
    return (select(where: isInside, y, x), select(where: isInside, logSlope, 0))
  }
}
