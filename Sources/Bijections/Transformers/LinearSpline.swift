import Tensors

/// A piecewise linear map of ±bound to itself with K bins of equal width; the identity outside.
///
/// y = y₀ + h θ with θ = (x − x₀) / w, w = 2·bound / K. The derivative jumps at the knots.
///
/// log|det| = Σ log(h / w). Inverse: x = x₀ + w (y − y₀) / h. O(n K) both.
///
/// Raw parameters: the K heights of the bins, for one number after the other. The heights are softmaxes
/// above a minimum. Zeros give the identity. Domain: all reals.
///
/// Müller et al. 2019, *Neural importance sampling*, arXiv 1808.03856, section 4.1.
public struct LinearSpline: NumberwiseTransformer {
  private let spline: Spline

  /// Makes a spline.
  ///
  /// - Parameters:
  ///   - bins: The number of pieces.
  ///   - bound: The end of the interval ±bound.
  ///   - minimumBin: The minimum height of a bin, as a share of the interval.
  /// - Precondition: There is at least one bin, all numbers are positive, and the minimum bins fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    spline = Spline("LinearSpline", bins: bins, bound: bound, minimumBin: minimumBin)
  }

  public var name: String { "LinearSpline" }
  public var parameterCount: Int { spline.bins }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let (count, width) = (Double(spline.bins), 2 * spline.bound / Double(spline.bins))
    let knots = spline.knots(raw)
    return spline.withIdentityTails(numbers) { x in
      let position = (x + spline.bound) / width
      // The comparison is false for NaN, which has no bin.
      let bin =
        isInverse
        ? Spline.bin(of: x, among: knots)
        : select(where: position.detached .>= 0, minimum(floor(position.detached), count - 1), 0)
      let y0 = knots.picked(at: bin)
      let height = knots.picked(at: bin + 1) - y0
      let outputs =
        isInverse ? width * (bin + (x - y0) / height) - spline.bound : y0 + height * (position - bin)
      return (outputs, log(height / width))
    }
  }
}
