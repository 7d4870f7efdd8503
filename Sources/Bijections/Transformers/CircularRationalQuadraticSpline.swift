import Tensors

/// A rational-quadratic spline of the circle: the interval ±bound with its ends joined, where value and derivative agree.
///
/// y = g(x − 2·bound·k) + 2·bound·k, k = ⌊(x + bound) / (2·bound)⌋ turns: within the interval the circle's map, which
/// keeps the joined ends in place; on all reals its lift, so that angles need not be reduced beforehand.
///
/// log|det| = Σ log g′(x). Inverse: the same with a quadratic's root in closed form. O(n K) both.
///
/// Raw parameters, 3K a number and those of one number together: K of the widths, K of the heights, K of the derivatives,
/// the first of them at both ends. Otherwise as of `RationalQuadraticSpline`. Zeros give the identity.
///
/// Domain: all reals.
///
/// Rezende et al. 2020, *Normalizing flows on tori and spheres*, arXiv 2002.02428, section 2.1.3.
public struct CircularRationalQuadraticSpline: NumberwiseTransformer {
  private let form: RationalQuadraticForm

  /// A spline of the circle; by default of angles within ±π. Parameters as of `RationalQuadraticSpline`.
  public init(bins: Int = 8, bound: Double = .pi, minimumBin: Double = 1e-3, minimumDerivative: Double = 1e-3)
  {
    form = RationalQuadraticForm(
      "CircularRationalQuadraticSpline", bins: bins, isCircular: true, bound: bound, minimumBin: minimumBin,
      minimumDerivative: minimumDerivative)
  }

  /// `CircularRationalQuadraticSpline`.
  public var name: String { "CircularRationalQuadraticSpline" }
  /// Widths, heights and derivatives.
  public var parameterCount: Int { 3 * form.bins }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    withinOneTurn(x) { form.map($0, raw, isInverse: false) }
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    withinOneTurn(y) { form.map($0, raw, isInverse: true) }
  }

  private func withinOneTurn(
    _ x: Tensor, _ body: (Tensor) -> (outputs: Tensor, logSlope: Tensor)
  ) -> (outputs: Tensor, logSlope: Tensor) {
    let (width, bound) = (2 * form.bound, form.bound)
    let turns = width * floor((x.detached + bound) / width)
    // The difference may miss the interval by a rounding.
    let (y, logSlope) = body(minimum(maximum(x - turns, -bound), bound))
    return (y + turns, logSlope)
  }
}
