import Tensors

/// A monotone piecewise cubic map of ±bound to itself; the identity outside.
///
/// Its derivative is continuous inside and jumps at the bounds, where it is free.
///
/// With θ = (x − x₀) / w, τ = 1 − θ, s = h / w and the derivatives p, q at the bin's ends as multiples of s:
/// y = y₀ + h (p θτ² + (3 − q) θ²τ + θ³), dy/dx = s (p τ² + 2(3 − p − q) θτ + q θ²).
///
/// The derivatives at inner knots are Steffen's: the minimum of twice the slopes beside them and their
/// weighted mean. They are at most 2s, so every piece is monotone. The derivatives at the bounds are
/// between 0 and 3s. The derivative of y is positive everywhere.
///
/// log|det| = Σ log dy/dx. Inverse: the bin from the knots, then θ by a bracketed Newton iteration
/// (`inverseOfMonotone`). The closed form would lose digits in almost quadratic pieces. O(n K) both; the
/// inverse costs about 10 times as much.
///
/// Raw parameters, 2K + 2 per number, one number after the other: K widths, K heights, and the derivatives
/// at both bounds. Widths and heights are softmaxes above a minimum. The derivatives are
/// 3s · sigmoid(raw − log 2), mixed with a small share of 3s. Zeros give almost the identity.
///
/// Domain: all reals.
///
/// Durkan, Bekasov, Murray & Papamakarios 2019, *Cubic-spline flows*, arXiv 1906.02145, section 2; Steffen
/// 1990, *A simple method for monotonic interpolation in one dimension*.
public struct CubicSpline: NumberwiseTransformer {
  private let spline: Spline

  /// Makes a spline.
  ///
  /// - Parameters:
  ///   - bins: The number of pieces.
  ///   - bound: The end of the interval ±bound.
  ///   - minimumBin: The minimum width and height of a bin as a share of the interval. It is also the minimum
  ///     derivative at a bound as a share of 3s.
  /// - Precondition: There are at least two bins, all numbers are positive, and the minimum bins fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    spline = Spline("CubicSpline", bins: bins, atLeast: 2, bound: bound, minimumBin: minimumBin)
  }

  public var name: String { "CubicSpline" }
  public var parameterCount: Int { 2 * spline.bins + 2 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let bins = spline.bins
    let (xs, ys) = (spline.knots(raw.columns(0..<bins)), spline.knots(raw.columns(bins..<2 * bins)))
    let (widths, heights) = (xs.columnDifferences, ys.columnDifferences)
    let slopes = heights / widths
    let derivatives = derivatives(slopes, widths, raw.columns(2 * bins..<2 * bins + 2))
    return spline.withIdentityTails(numbers) { x in
      let bin = Spline.bin(of: x, among: isInverse ? ys : xs)
      let (x0, y0, slope) = (xs.picked(at: bin), ys.picked(at: bin), slopes.picked(at: bin))
      let (width, height) = (widths.picked(at: bin), heights.picked(at: bin))
      let (p, q) = (derivatives.picked(at: bin) / slope, derivatives.picked(at: bin + 1) / slope)
      let theta = isInverse ? root((x - y0) / height, p, q) : (x - x0) / width
      let (share, derivative) = cubic(theta, p, q)
      let logSlope = log(derivative * height / width)
      return (isInverse ? x0 + width * theta : y0 + height * share, logSlope)
    }
  }

  /// Computes the derivatives at all knots.
  private func derivatives(_ slopes: Tensor, _ widths: Tensor, _ raw: Tensor) -> Tensor {
    let (bins, least) = (spline.bins, spline.minimumBin)
    let (s, t) = (slopes.columns(0..<bins - 1), slopes.columns(1..<bins))
    let (v, w) = (widths.columns(0..<bins - 1), widths.columns(1..<bins))
    let inner = minimum(2 * minimum(s, t), (s * w + t * v) / (v + w))
    let ends = 3 * (least + (1 - least) * sigmoid(raw - log(Tensor(2, dtype: raw.dtype))))
    let first = ends.columns(0..<1) * slopes.columns(0..<1)
    let last = ends.columns(1..<2) * slopes.columns(bins - 1..<bins)
    return concatenate([first, inner, last], axis: 1)
  }
}

/// Computes θ where the Hermite cubic has a given value.
private func root(_ value: Tensor, _ p: Tensor, _ q: Tensor) -> Tensor {
  let (zeros, ones) = (
    Tensor.zeros(value.shape, dtype: value.dtype), Tensor.ones(value.shape, dtype: value.dtype)
  )
  return inverseOfMonotone(at: value, given: [p, q], between: (zeros, ones)) { cubic($0, $1[0], $1[1]) }
}

/// Computes p θτ² + (3 − q) θ²τ + θ³ and its derivative.
///
/// This is the Hermite cubic from (0, 0) to (1, 1) with derivatives p and q.
private func cubic(_ theta: Tensor, _ p: Tensor, _ q: Tensor) -> (value: Tensor, slope: Tensor) {
  let tau = 1 - theta
  let value = theta * (p * square(tau) + theta * ((3 - q) * tau + theta))
  return (value, p * square(tau) + 2 * (3 - p - q) * (theta * tau) + q * square(theta))
}
