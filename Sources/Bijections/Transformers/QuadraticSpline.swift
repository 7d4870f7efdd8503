import Tensors

/// A piecewise quadratic map of ±bound to itself; the identity outside.
///
/// Its derivative is piecewise linear and continuous, and 1 at both bounds.
///
/// With θ = (x − x₀) / w and derivatives p, q at the bin's ends: y = y₀ + h (p θ(2 − θ) + q θ²) / (p + q).
///
/// log|det| = Σ log of the derivative (p(1 − θ) + qθ) · 2h / (w (p + q)), where h = w (p + q) / 2 up to
/// rounding.
///
/// Inverse: with ξ = (y − y₀) / h the derivative at x is r = √(p²(1 − ξ) + q²ξ), a sum of positive terms, and
/// θ = (p + q) ξ / (p + r). O(n K) both.
///
/// Raw parameters, 2K − 1 per number, one number after the other: K widths, and K − 1 derivatives at the
/// inner knots. The widths are softmaxes above a minimum. The derivatives are softplus above 10⁻³,
/// normalized so that the interval maps to itself, and mixed with a small share of 1. Zeros, and any equal
/// derivatives, give the identity.
///
/// Domain: all reals.
///
/// Müller et al. 2019, *Neural importance sampling*, arXiv 1808.03856, section 4.2; tails after Durkan et
/// al. 2019, arXiv 1906.04032.
public struct QuadraticSpline: NumberwiseTransformer {
  private let spline: Spline

  /// Makes a spline.
  ///
  /// - Parameters:
  ///   - bins: The number of pieces.
  ///   - bound: The end of the interval ±bound.
  ///   - minimumBin: The minimum width of a bin as a share of the interval, and the minimum derivative.
  /// - Precondition: There are at least two bins, all numbers are positive, and the minimum bins fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    spline = Spline("QuadraticSpline", bins: bins, atLeast: 2, bound: bound, minimumBin: minimumBin)
  }

  public var name: String { "QuadraticSpline" }
  public var parameterCount: Int { 2 * spline.bins - 1 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let (xs, ys, derivatives) = knots(raw)
    return spline.withIdentityTails(numbers) { x in
      let bin = Spline.bin(of: x, among: isInverse ? ys : xs)
      let (x0, y0) = (xs.picked(at: bin), ys.picked(at: bin))
      let (width, height) = (xs.picked(at: bin + 1) - x0, ys.picked(at: bin + 1) - y0)
      let (p, q) = (derivatives.picked(at: bin), derivatives.picked(at: bin + 1))
      // The derivative of the quadratic, before its height is fitted to the knots.
      func logSlope(_ derivative: Tensor) -> Tensor { log(derivative * (2 * height) / (width * (p + q))) }
      if isInverse {
        let xi = (x - y0) / height
        let root = sqrt(square(p) * (1 - xi) + square(q) * xi)
        return (x0 + width * ((p + q) * xi / (p + root)), logSlope(root))
      }
      let theta = (x - x0) / width
      let share = (p * theta * (2 - theta) + q * square(theta)) / (p + q)
      return (y0 + height * share, logSlope(p * (1 - theta) + q * theta))
    }
  }

  /// Computes the knots x, y and the derivatives there, [N, K + 1] each.
  ///
  /// Let u₁ … u_{K−1} be the unnormalized derivatives inside, A the derivative at both bounds, and wᵢ the
  /// widths as shares of the interval. By the trapezoidal rule the area is A (w₁ + w_K) / 2 + Σ uᵢ
  /// (wᵢ + wᵢ₊₁) / 2. Divided by the area, the bounds' derivatives are 1 if the area is A, so A = Σ uᵢ
  /// (wᵢ + wᵢ₊₁) / 2 / (1 − (w₁ + w_K) / 2).
  private func knots(_ raw: Tensor) -> (x: Tensor, y: Tensor, derivatives: Tensor) {
    let (bins, bound, minimumBin) = (spline.bins, spline.bound, spline.minimumBin)
    let x = spline.knots(raw.columns(0..<bins))
    let width = x.columnDifferences / (2 * bound)
    let (before, behind) = (width.columns(0..<bins - 1), width.columns(1..<bins))
    let u = minimum(softplus(raw.columns(bins..<2 * bins - 1)) + 1e-3, 1e6)
    let ends = 1 - 0.5 * (width.columns(0..<1) + width.columns(bins - 1..<bins))
    let area = (u * (before + behind)).sum(axis: 1, keepDims: true) * 0.5 / ends
    let derivatives = Spline.padded(minimumBin + (1 - minimumBin) * (u / area), 1, 1)
    let heights = (derivatives.columns(0..<bins) + derivatives.columns(1..<bins + 1)) * width * bound
    let y = heights.columns(0..<bins - 1).cumulativeSum(axis: 1) - bound
    return (x, Spline.padded(y, -bound, bound), derivatives)
  }
}
