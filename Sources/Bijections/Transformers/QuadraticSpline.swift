import Tensors

/// A piecewise quadratic map of ±bound to itself, the identity outside: its derivative is piecewise linear and 1 at both
/// bounds.
///
/// With θ = (x − x₀) / w and derivatives p, q at the bin's ends: y = y₀ + h (p θ(2 − θ) + q θ²) / (p + q).
///
/// log|det| = Σ log of the derivative (p(1 − θ) + qθ) · 2h / (w (p + q)), where h = w (p + q) / 2 but for rounding.
///
/// Inverse: with ξ = (y − y₀) / h the derivative at x is r = √(p²(1 − ξ) + q²ξ), a sum of positive terms, and
/// θ = (p + q) ξ / (p + r). O(n K) both.
///
/// Raw parameters, 2K − 1 a number and those of one number together: K of the widths, softmaxes above a minimum, and
/// K − 1 of the derivatives at the inner knots, softplus above 10⁻³, then normalized such that the interval maps to
/// itself, and drawn towards 1 by the minimum. Zeros give the identity, and so do any equal derivatives.
///
/// Domain: all reals.
///
/// Müller et al. 2019, *Neural importance sampling*, arXiv 1808.03856, section 4.2; tails after Durkan et al. 2019,
/// arXiv 1906.04032.
public struct QuadraticSpline: NumberwiseTransformer {
  private let bins: Int
  private let bound: Double
  private let minimumBin: Double

  /// A spline of `bins` pieces within ±bound; `minimumBin` is the least width of a bin as a share of the interval, and
  /// the least derivative.
  ///
  /// - Precondition: at least two bins, positive numbers, and minimum bins that fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    Spline.check("QuadraticSpline", bins: bins, atLeast: 2, bound: bound, minima: [minimumBin])
    self.bins = bins
    self.bound = bound
    self.minimumBin = minimumBin
  }

  /// `QuadraticSpline`.
  public var name: String { "QuadraticSpline" }
  /// Widths and inner derivatives.
  public var parameterCount: Int { 2 * bins - 1 }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(x, bound: bound) { x in
      let bin = Bin(of: x, isInverse: false, knots(raw))
      let theta = (x - bin.x0) / bin.width
      let share = (bin.p * theta * (2 - theta) + bin.q * square(theta)) / (bin.p + bin.q)
      return (bin.y0 + bin.height * share, bin.logSlope(bin.p * (1 - theta) + bin.q * theta))
    }
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(y, bound: bound) { y in
      let bin = Bin(of: y, isInverse: true, knots(raw))
      let xi = (y - bin.y0) / bin.height
      let root = sqrt(square(bin.p) * (1 - xi) + square(bin.q) * xi)
      let theta = (bin.p + bin.q) * xi / (bin.p + root)
      return (bin.x0 + bin.width * theta, bin.logSlope(root))
    }
  }

  /// Knots x, y and the derivatives there, [N, K + 1] each.
  ///
  /// With u₁ … u_{K−1} the unnormalized derivatives inside and A at both bounds, the trapezoids' area over a unit
  /// interval is A (w₁ + w_K) / 2 + Σ uᵢ (wᵢ + wᵢ₊₁) / 2. Divided by that area the bounds' derivatives are 1 exactly when
  /// it is A: A = Σ uᵢ (wᵢ + wᵢ₊₁) / 2 / (1 − (w₁ + w_K) / 2).
  private func knots(_ raw: Tensor) -> (x: Tensor, y: Tensor, derivatives: Tensor) {
    let x = Spline.knots(raw.columns(0..<bins), bound: bound, minimum: minimumBin)
    let width = (x.columns(1..<bins + 1) - x.columns(0..<bins)) / (2 * bound)
    let (before, behind) = (width.columns(0..<bins - 1), width.columns(1..<bins))
    let u = minimum(softplus(raw.columns(bins..<2 * bins - 1)) + 1e-3, 1e6)
    let ends = 1 - 0.5 * (width.columns(0..<1) + width.columns(bins - 1..<bins))
    let area = (u * (before + behind)).sum(axis: 1, keepDims: true) * 0.5 / ends
    let derivatives = Spline.padded(minimumBin + (1 - minimumBin) * (u / area), 1, 1)
    let heights = (derivatives.columns(0..<bins) + derivatives.columns(1..<bins + 1)) * width * bound
    let y = heights.columns(0..<bins - 1).cumulativeSum(axis: 1) - bound
    return (x, Spline.padded(y, -bound, bound), derivatives)
  }

  /// The bins of a list of numbers, or of images.
  private struct Bin {
    let x0, y0, width, height, p, q: Tensor

    init(of number: Tensor, isInverse: Bool, _ knots: (x: Tensor, y: Tensor, derivatives: Tensor)) {
      let bin = Spline.bin(of: number, among: isInverse ? knots.y : knots.x)
      (x0, y0, p) = (knots.x.picked(at: bin), knots.y.picked(at: bin), knots.derivatives.picked(at: bin))
      (width, height) = (knots.x.picked(at: bin + 1) - x0, knots.y.picked(at: bin + 1) - y0)
      q = knots.derivatives.picked(at: bin + 1)
    }

    /// The derivative of y, given that of the quadratic before its height is fitted to the knots.
    func logSlope(_ derivative: Tensor) -> Tensor { log(derivative * (2 * height) / (width * (p + q))) }
  }
}
