import Tensors

/// A spline of linear-rational pieces within ±bound; the identity outside. Its derivative is continuous.
///
/// Each bin is cut at the share λ of its width, and both parts are fractions of linear functions. So the
/// inverse is of the same form, without a square root.
///
/// With θ = (x − x₀) / w, the slope s = h / w, and the derivatives p and q at the bin's ends, the weights are
/// a = √q, b = √p and c = √(pq) (λ √p + (1 − λ) √q) / s. The cut is at the height m = λb / ((1 − λ) a + λb):
///
///     y = y₀ + h c m θ / (a (λ − θ) + c θ)   for θ ≤ λ,
///
/// and beyond the same seen from the other end, with b, 1 − θ, 1 − λ and 1 − m, from the top.
///
/// log|det| = Σ log(s a c λ m / (a (λ − θ) + c θ)²). Inverse: in closed form. O(n K) both.
///
/// Raw parameters, 4K − 1 per number, one number after the other: K widths, K heights, K − 1 derivatives, as
/// in `RationalQuadraticSpline`, and K cuts: λ = 0.025 + 0.95 σ(raw). Zeros give the identity.
///
/// Domain: all reals.
///
/// Dolatabadi, Erfani & Leckie 2020, *Invertible generative modeling using linear rational splines*, arXiv
/// 2001.05168, section 3 and algorithm 1, with weights scaled by √q.
public struct LinearRationalSpline: NumberwiseTransformer {
  private let spline: Spline
  private let derivatives: KnotDerivatives

  /// Makes a spline.
  ///
  /// - Parameters:
  ///   - bins: The number of pieces.
  ///   - bound: The end of the interval ±bound, which is mapped to itself.
  ///   - minimumBin: The minimum width and height of a bin, as a share of the interval.
  ///   - minimumDerivative: The minimum derivative at a knot.
  /// - Precondition: There is at least one bin, all numbers are positive, and the minimum bins fit.
  public init(bins: Int = 8, bound: Double = 3, minimumBin: Double = 1e-3, minimumDerivative: Double = 1e-3) {
    spline = Spline("LinearRationalSpline", bins: bins, bound: bound, minimumBin: minimumBin)
    derivatives = KnotDerivatives("LinearRationalSpline", atLeast: minimumDerivative)
  }

  public var name: String { "LinearRationalSpline" }
  public var parameterCount: Int { 4 * spline.bins - 1 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let bins = spline.bins
    let (xs, ys) = (spline.knots(raw.columns(0..<bins)), spline.knots(raw.columns(bins..<2 * bins)))
    let slopes = derivatives(raw.columns(2 * bins..<3 * bins - 1))
    let cuts = 0.025 + 0.95 * sigmoid(raw.columns(3 * bins - 1..<4 * bins - 1))
    return spline.withIdentityTails(numbers) { number in
      let bin = Spline.bin(of: number, among: isInverse ? ys : xs)
      let (x0, x1, y0, y1) = (
        xs.picked(at: bin), xs.picked(at: bin + 1), ys.picked(at: bin), ys.picked(at: bin + 1)
      )
      let (width, height) = (x1 - x0, y1 - y0)
      let piece = LinearRationalBin(
        slope: height / width, p: slopes.picked(at: bin), q: slopes.picked(at: bin + 1),
        cut: cuts.picked(at: bin))
      let (from, to, size, other) = isInverse ? (y0, y1, height, width) : (x0, x1, width, height)
      let (t, isLeft, logSlope) = piece.map((number - from) / size, (to - number) / size, isInverse)
      let outputs = select(
        where: isLeft, (isInverse ? x0 : y0) + other * t, (isInverse ? x1 : y1) - other * t)
      return (outputs, logSlope)
    }
  }
}

/// The two fractions of a bin, from (0, 0) to (1, 1).
private struct LinearRationalBin {
  private let slope, a, b, c, cut, middle, rest: Tensor

  init(slope: Tensor, p: Tensor, q: Tensor, cut: Tensor) {
    (self.slope, self.cut, a, b) = (slope, cut, sqrt(q), sqrt(p))
    let (left, right) = (cut * b, (1 - cut) * a)
    c = a * b * (left + right) / slope
    (middle, rest) = (left / (left + right), right / (left + right))
  }

  /// Maps a share of the width to one of the height, or back, and computes log dy/dx.
  ///
  /// A number's distances from both ends of the bin have the sum 1. The result is a distance from the end
  /// whose part the number is in.
  ///
  /// Either part is t ↦ v = c m t / W with W = e (λ − t) + c t, for distances t and v from the end of
  /// weight e. Its slope is s e c λ m / W². The inverse is v ↦ t = λ e v / D with D = e v + c (m − v).
  /// There W = e c λ m / D, so the slope is s D² / (e c λ m). All terms are positive.
  func map(
    _ left: Tensor, _ right: Tensor, _ isInverse: Bool
  ) -> (share: Tensor, isLeft: Tensor, logSlope: Tensor) {
    let isLeft = left.detached .<= (isInverse ? middle : cut).detached
    func own(_ left: Tensor, _ right: Tensor) -> Tensor { select(where: isLeft, left, right) }
    let (e, end, height, near) = (own(a, b), own(cut, 1 - cut), own(middle, rest), own(left, right))
    let product = e * c * end * height
    if isInverse {
      let weight = e * near + c * (height - near)
      return (end * e * near / weight, isLeft, log(slope) + 2 * log(weight) - log(product))
    }
    let weight = e * (end - near) + c * near
    return (c * height * near / weight, isLeft, log(slope) - 2 * log(weight) + log(product))
  }
}
