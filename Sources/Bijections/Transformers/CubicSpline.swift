import Tensors

/// A monotone piecewise cubic map of ±bound to itself, the identity outside. The derivative is continuous inside and
/// jumps at the bounds, where it is free.
///
/// With θ = (x − x₀) / w, τ = 1 − θ, s = h / w and the derivatives p, q at the bin's ends as multiples of s:
/// y = y₀ + h (p θτ² + (3 − q) θ²τ + θ³), dy/dx = s (p τ² + 2(3 − p − q) θτ + q θ²).
///
/// The derivatives at inner knots are Steffen's, the least of twice the slopes beside them and their weighted mean: at
/// most 2s, so that every piece is monotone; those at the bounds are between 0 and 3s. The derivative of y is above 0
/// everywhere.
///
/// log|det| = Σ log dy/dx. Inverse: the bin from the knots, then θ by a bracketed Newton iteration (`inverseOfMonotone`),
/// since the closed form loses its digits where a piece is almost quadratic. O(n K) both, the inverse about 10 times.
///
/// Raw parameters, 2K + 2 a number and those of one number together: K of the widths, K of the heights, softmaxes above a
/// minimum, and the two bounds' derivatives, 3s · sigmoid(raw − log 2) mixed with a little of 3s. Zeros give the identity
/// but for that little.
///
/// Domain: all reals.
///
/// Durkan, Bekasov, Murray & Papamakarios 2019, *Cubic-spline flows*, arXiv 1906.02145, section 2; Steffen 1990,
/// *A simple method for monotonic interpolation in one dimension*.
public struct CubicSpline: NumberwiseTransformer {
  private let bins: Int
  private let bound: Double
  private let minimumBin: Double

  /// A spline of `bins` pieces within ±bound; `minimumBin` is the least width and height of a bin as a share of the
  /// interval, and the least derivative at a bound as a share of 3s.
  ///
  /// - Precondition: at least two bins, positive numbers, and minimum bins that fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3) {
    Spline.check("CubicSpline", bins: bins, atLeast: 2, bound: bound, minima: [minimumBin])
    self.bins = bins
    self.bound = bound
    self.minimumBin = minimumBin
  }

  /// `CubicSpline`.
  public var name: String { "CubicSpline" }
  /// Widths, heights and the bounds' derivatives.
  public var parameterCount: Int { 2 * bins + 2 }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(x, bound: bound) { x in
      let bin = bin(of: x, raw, isInverse: false)
      let theta = (x - bin.x0) / bin.width
      let (share, slope) = cubic(theta, bin.p, bin.q)
      return (bin.y0 + bin.height * share, log(slope * bin.height / bin.width))
    }
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(y, bound: bound) { y in
      let bin = bin(of: y, raw, isInverse: true)
      let xi = (y - bin.y0) / bin.height
      let unit = (
        lower: Tensor.zeros(xi.shape, dtype: xi.dtype), upper: Tensor.ones(xi.shape, dtype: xi.dtype)
      )
      let theta = inverseOfMonotone(at: xi, given: [bin.p, bin.q], between: unit) { cubic($0, $1[0], $1[1]) }
      let slope = cubic(theta, bin.p, bin.q).slope
      return (bin.x0 + bin.width * theta, log(slope * bin.height / bin.width))
    }
  }

  private typealias Bin = (x0: Tensor, y0: Tensor, width: Tensor, height: Tensor, p: Tensor, q: Tensor)

  private func bin(of number: Tensor, _ raw: Tensor, isInverse: Bool) -> Bin {
    let x = Spline.knots(raw.columns(0..<bins), bound: bound, minimum: minimumBin)
    let y = Spline.knots(raw.columns(bins..<2 * bins), bound: bound, minimum: minimumBin)
    let (w, h) = (
      x.columns(1..<bins + 1) - x.columns(0..<bins), y.columns(1..<bins + 1) - y.columns(0..<bins)
    )
    let slopes = h / w
    let derivatives = derivatives(slopes, w, raw.columns(2 * bins..<2 * bins + 2))

    let bin = Spline.bin(of: number, among: isInverse ? y : x)
    let slope = slopes.picked(at: bin)
    return (
      x.picked(at: bin), y.picked(at: bin), w.picked(at: bin), h.picked(at: bin),
      derivatives.picked(at: bin) / slope, derivatives.picked(at: bin + 1) / slope
    )
  }

  /// The derivatives at all knots.
  private func derivatives(_ slopes: Tensor, _ widths: Tensor, _ raw: Tensor) -> Tensor {
    let (s, t) = (slopes.columns(0..<bins - 1), slopes.columns(1..<bins))
    let (v, w) = (widths.columns(0..<bins - 1), widths.columns(1..<bins))
    let inner = minimum(2 * minimum(s, t), (s * w + t * v) / (v + w))
    let ends = 3 * (minimumBin + (1 - minimumBin) * sigmoid(raw - log(Tensor(2, dtype: raw.dtype))))
    return concatenate(
      [
        ends.columns(0..<1) * slopes.columns(0..<1), inner,
        ends.columns(1..<2) * slopes.columns(bins - 1..<bins),
      ],
      axis: 1)
  }
}

/// p θτ² + (3 − q) θ²τ + θ³ and its derivative: the Hermite cubic from (0, 0) to (1, 1) with derivatives p and q.
private func cubic(_ theta: Tensor, _ p: Tensor, _ q: Tensor) -> (value: Tensor, slope: Tensor) {
  let tau = 1 - theta
  let value = theta * (p * square(tau) + theta * ((3 - q) * tau + theta))
  return (value, p * square(tau) + 2 * (3 - p - q) * (theta * tau) + q * square(theta))
}
