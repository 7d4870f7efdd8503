import Tensors

/// A spline of rational-quadratic pieces within ±bound; the identity outside. Its derivative is continuous.
///
/// y = g(x) with g as in `RationalQuadraticBins`: K bins, K − 1 inner derivatives, and derivative 1 at both
/// bounds.
///
/// log|det| = Σ log g′(x). Inverse: the root of a quadratic equation in closed form. O(n K) both.
///
/// Raw parameters, 3K − 1 per number, one number after the other: K widths, K heights, K − 1 derivatives.
/// Widths and heights are softmaxes above a minimum. Derivatives are a softplus above a minimum, with an
/// offset such that 0 gives 1. So zeros give the identity. Values and gradients are finite for all finite
/// raw parameters.
///
/// Domain: all reals.
///
/// Durkan, Bekasov, Murray & Papamakarios 2019, *Neural spline flows*, arXiv 1906.04032, section 3 and eqs.
/// 4-8.
public struct RationalQuadraticSpline: NumberwiseTransformer {
  private let form: RationalQuadraticForm

  /// Makes a spline.
  ///
  /// - Parameters:
  ///   - bins: The number of pieces.
  ///   - bound: The end of the interval ±bound, which is mapped to itself.
  ///   - minimumBin: The minimum width and height of a bin, as a share of the interval.
  ///   - minimumDerivative: The minimum derivative at a knot.
  /// - Precondition: There is at least one bin, all numbers are positive, and the minimum bins fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3, minimumDerivative: Double = 1e-3) {
    form = RationalQuadraticForm(
      "RationalQuadraticSpline", bins: bins, bound: bound, minimumBin: minimumBin,
      minimumDerivative: minimumDerivative)
  }

  public var name: String { "RationalQuadraticSpline" }
  public var parameterCount: Int { 3 * form.spline.bins - 1 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    form.map(numbers, raw, isInverse: isInverse)
  }
}
