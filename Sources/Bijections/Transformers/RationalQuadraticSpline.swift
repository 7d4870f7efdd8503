import Tensors

/// A spline of rational-quadratic pieces within ±bound, the identity outside; smooth at the bounds.
///
/// y = g(x) with g as in `RationalQuadraticBins`: K bins, K − 1 inner derivatives, and derivative 1 at both bounds.
///
/// log|det| = Σ log g′(x). Inverse: a quadratic's root in closed form. O(n K) both.
///
/// Raw parameters, 3K − 1 a number and those of one number together: K of the widths, K of the heights, K − 1 of the
/// derivatives. Shares of the interval are softmaxes above a minimum, derivatives a softplus above a minimum, offset such
/// that 0 gives 1: zeros give the identity. Every finite raw value gives finite values and gradients, everywhere.
///
/// Domain: all reals.
///
/// Durkan, Bekasov, Murray & Papamakarios 2019, *Neural spline flows*, arXiv 1906.04032, section 3 and eqs. 4-8.
public struct RationalQuadraticSpline: NumberwiseTransformer {
  private let form: RationalQuadraticForm

  /// A spline.
  ///
  /// - Parameters:
  ///   - bins: the number of pieces.
  ///   - bound: half the width of the interval; its image is the same interval.
  ///   - minimumBin: the least width and height of a bin, as a share of the interval.
  ///   - minimumDerivative: the least derivative at a knot.
  /// - Precondition: at least one bin, positive numbers, and minimum bins that fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3, minimumDerivative: Double = 1e-3) {
    form = RationalQuadraticForm(
      "RationalQuadraticSpline", bins: bins, bound: bound, minimumBin: minimumBin,
      minimumDerivative: minimumDerivative)
  }

  /// `RationalQuadraticSpline`.
  public var name: String { "RationalQuadraticSpline" }
  /// Widths, heights and inner derivatives.
  public var parameterCount: Int { 3 * form.bins - 1 }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    form.map(x, raw, isInverse: false)
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    form.map(y, raw, isInverse: true)
  }
}
