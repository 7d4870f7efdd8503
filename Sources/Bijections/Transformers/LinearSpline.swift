import Tensors

/// A piecewise linear map of ±bound to itself, the identity outside: K bins of equal width, each with a slope of its own.
///
/// y = y₀ + h θ with θ = (x − x₀) / w, w = 2·bound / K. The derivative jumps at the knots.
///
/// log|det| = Σ log(h / w). Inverse: x = x₀ + w (y − y₀) / h. O(n K) both.
///
/// Raw parameters, K a number and those of one number together: the bins' heights, softmaxes above a minimum. Zeros give
/// the identity. Domain: all reals.
///
/// Müller et al. 2019, *Neural importance sampling*, arXiv 1808.03856, section 4.1.
public struct LinearSpline: NumberwiseTransformer {
  private let bins: Int
  private let bound: Double
  private let minimumBin: Double

  /// A spline of `bins` pieces within ±bound; `minimumBin` is the least height of a bin as a share of the interval.
  ///
  /// - Precondition: at least one bin, positive numbers, and minimum bins that fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    Spline.check("LinearSpline", bins: bins, bound: bound, minima: [minimumBin])
    self.bins = bins
    self.bound = bound
    self.minimumBin = minimumBin
  }

  /// `LinearSpline`.
  public var name: String { "LinearSpline" }
  /// Heights.
  public var parameterCount: Int { bins }
  private var width: Double { 2 * bound / Double(bins) }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(x, bound: bound) { x in
      let knots = Spline.knots(raw, bound: bound, minimum: minimumBin)
      let position = (x + bound) / width
      // The comparison is false for NaN, which is no bin.
      let bin = select(where: position.detached .>= 0, minimum(floor(position.detached), Double(bins - 1)), 0)
      let y0 = knots.picked(at: bin)
      let height = knots.picked(at: bin + 1) - y0
      return (y0 + height * (position - bin), log(height / width))
    }
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(y, bound: bound) { y in
      let knots = Spline.knots(raw, bound: bound, minimum: minimumBin)
      let bin = Spline.bin(of: y, among: knots)
      let y0 = knots.picked(at: bin)
      let height = knots.picked(at: bin + 1) - y0
      return (width * (bin + (y - y0) / height) - bound, log(height / width))
    }
  }
}
