import Tensors

/// A rational-quadratic spline of the circle: the interval ±bound with its ends joined.
///
/// Value and derivative agree at the joined ends.
///
/// y = g(x − 2·bound·k) + 2·bound·k with k = ⌊(x + bound) / (2·bound)⌋ turns. Within ±bound this is the map
/// of the circle, which keeps the joined ends in place. It is extended to all reals, so that angles need
/// not be reduced beforehand.
///
/// log|det| = Σ log g′(x). Inverse: with the root of a quadratic equation in closed form. O(n K) both.
///
/// Raw parameters, 3K per number, one number after the other: K widths, K heights, K derivatives. The first
/// derivative is that of both ends. Otherwise they are as in `RationalQuadraticSpline`. Zeros give the
/// identity.
///
/// In a coupling or an autoregressive flow, the conditioner sees sines and cosines of the numbers that pass.
/// Then the map of a whole sample is one of the torus, and densities are continuous at the joined ends.
///
/// Domain: all reals.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, the section on circular
/// splines.
public struct CircularRationalQuadraticSpline: NumberwiseTransformer {
  private let form: RationalQuadraticForm

  /// Makes a spline of the circle, by default of angles within ±π.
  ///
  /// The parameters are those of `RationalQuadraticSpline`.
  public init(bins: Int = 8, bound: Double = .pi, minimumBin: Double = 1e-3, minimumDerivative: Double = 1e-3)
  {
    form = RationalQuadraticForm(
      "CircularRationalQuadraticSpline", bins: bins, isCircular: true, bound: bound, minimumBin: minimumBin,
      minimumDerivative: minimumDerivative)
  }

  public var name: String { "CircularRationalQuadraticSpline" }
  public var parameterCount: Int { 3 * form.spline.bins }
  public var period: Double? { 2 * form.spline.bound }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let bound = form.spline.bound
    let turns = 2 * bound * floor((numbers.detached + bound) / (2 * bound))
    // Rounding may move the difference out of the interval.
    let reduced = minimum(maximum(numbers - turns, -bound), bound)
    let (y, logSlope) = form.map(reduced, raw, isInverse: isInverse)
    return (y + turns, logSlope)
  }
}
