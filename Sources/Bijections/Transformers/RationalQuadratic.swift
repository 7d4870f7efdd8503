import CKernels
import Tensors

/// The bins in which a list of numbers lies, of a rational-quadratic spline: corners, slope between them, and the
/// derivatives at them.
///
/// With θ = (x − x₀) / w and τ = 1 − θ, s = h / w and derivatives p at the left corner and q at the right one:
///
///     y = y₀ + h (s θ² + p θτ) / d,    d = s + (p + q − 2s) θτ = s (θ² + τ²) + (p + q) θτ
///     dy/dx = (s / d)² (q θ² + 2s θτ + p τ²)
///
/// (arXiv 1906.04032, eqs. 4 and 5.) The second form of d has positive terms only, as the rest has: nothing cancels.
struct RationalQuadraticBins {
  private let x0, y0, width, height, slope, p, q: Tensor

  /// The bins of numbers x [N], or of images where `isInverse`, among corners [N, 2, K + 1] (x in row 0, y in row 1)
  /// with derivatives [N, K + 1].
  init(of number: Tensor, isInverse: Bool, corners: Tensor, derivatives: Tensor) {
    let own = corners.detached.sliced(axis: 1, isInverse ? 1..<2 : 0..<1)
    let bin = Spline.bin(of: number, among: own.reshaped(to: derivatives.shape))
    let both = stack([bin, bin], axis: 1)
    let corner = corners.picked(at: both)
    let extent = corners.picked(at: both + 1) - corner
    (x0, y0, width, height) = (corner.column(0), corner.column(1), extent.column(0), extent.column(1))
    (p, q) = (derivatives.picked(at: bin), derivatives.picked(at: bin + 1))
    slope = height / width
  }

  /// y and log dy/dx.
  func forward(_ x: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let theta = (x - x0) / width
    let (tau, ends) = (1 - theta, theta * (1 - theta))
    let y = y0 + height * (slope * square(theta) + p * ends) / denominator(theta, tau)
    return (y, logSlope(theta, tau))
  }

  /// x and log dy/dx there.
  ///
  /// Let ξ = (y − y₀) / h. Multiplied by d, y's equation is a θ² + b θ − s ξ = 0 with b = pτ′ − qξ + 2sξ, a = s − b and
  /// τ′ = 1 − ξ (eqs. 6-8 divided by h). With m = pτ′ − qξ the discriminant is
  ///
  ///     b² + 4a s ξ = (b − 2sξ)² + 4s² ξ (1 − ξ) = m² + 4s² ξτ′ =: R²,
  ///
  /// a sum of squares: it needs no clamp. The root is θ = 2sξ / (b + R), and 1 − θ = (m + R) / (b + R); for m < 0, where
  /// m + R cancels, it is 4s² ξτ′ / (R − m). So θ : τ = A : B with
  ///
  ///     m ≥ 0:  A = 2sξ,    B = R + m          m < 0:  A = R − m,    B = 2sτ′
  ///
  /// and nothing cancels. (The paper's root loses all digits where q is much larger than s.)
  func inverse(_ y: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let xi = (y - y0) / height
    let rest = 1 - xi
    let m = p * rest - q * xi
    let root = sqrt(square(m) + square(2 * slope) * (xi * rest))
    let isLeft = m.detached .>= 0
    // |m|, with a derivative at 0 too, where the middle of an identity's bin lies.
    let outer = root + select(where: isLeft, m, -m)
    let a = select(where: isLeft, 2 * slope * xi, outer)
    let b = select(where: isLeft, outer, 2 * slope * rest)
    let (theta, tau) = (a / (a + b), b / (a + b))
    return (x0 + width * theta, logSlope(theta, tau))
  }

  private func denominator(_ theta: Tensor, _ tau: Tensor) -> Tensor {
    slope * (square(theta) + square(tau)) + (p + q) * (theta * tau)
  }

  private func logSlope(_ theta: Tensor, _ tau: Tensor) -> Tensor {
    let numerator = q * square(theta) + 2 * slope * (theta * tau) + p * square(tau)
    return log(numerator) + 2 * log(slope / denominator(theta, tau))
  }

}

/// What shapes a rational-quadratic spline, beside its raw parameters: K of the widths, K of the heights, and those of the
/// derivatives at inner knots or, where the ends are joined, at all.
struct RationalQuadraticForm: Sendable {
  let bins: Int
  let isCircular: Bool
  let bound: Double
  let minimumBin: Double
  let minimumDerivative: Double
  /// The raw derivative 0 is the derivative 1.
  private let offset: Double

  init(
    _ who: String, bins: Int, isCircular: Bool = false, bound: Double, minimumBin: Double,
    minimumDerivative: Double
  ) {
    Spline.check(who, bins: bins, bound: bound, minima: [minimumBin])
    require(minimumDerivative > 0 && minimumDerivative < 1, "\(who): 0 < minimumDerivative < 1")
    self.bins = bins
    self.isCircular = isCircular
    self.bound = bound
    self.minimumBin = minimumBin
    self.minimumDerivative = minimumDerivative
    offset = log(expm1(Tensor(1 - minimumDerivative, dtype: .float64))).item
  }

  /// The spline or its inverse of numbers within ±bound, the identity beyond; and the logarithm of the forward slope.
  func map(_ x: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if bins > Int(CK_SPLINE_BINS) { return composed(x, raw, isInverse: isInverse) }
    let form = ck_spline_form(
      bins: bins, circular: isCircular, bound: bound, least_bin: minimumBin,
      least_derivative: minimumDerivative, offset: offset)
    let spline = SplineMap(form: form, isInverse: isInverse) { composed($0, $1, isInverse: isInverse) }
    let results = apply(spline, Operands(x, raw))
    return (results[0], results[1])
  }

  /// The same in small primitives.
  func composed(_ x: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    Spline.withIdentityTails(x, bound: bound) { x in
      let bins = RationalQuadraticBins(
        of: x, isInverse: isInverse, corners: corners(raw.columns(0..<2 * bins)),
        derivatives: derivatives(raw.columns(2 * bins..<raw.shape[1])))
      return isInverse ? bins.inverse(x) : bins.forward(x)
    }
  }

  /// Corners [N, 2, K + 1] from raw widths and heights [N, 2K].
  private func corners(_ raw: Tensor) -> Tensor {
    Spline.knots(raw.reshaped(to: [raw.rows, 2, bins]), bound: bound, minimum: minimumBin)
  }

  /// Derivatives [N, K + 1] at all knots, those learned of at least `minimumDerivative`.
  ///
  /// They are kept below 10⁶, so that their squares are finite in float32 for any raw value.
  private func derivatives(_ raw: Tensor) -> Tensor {
    let learned = minimum(minimumDerivative + softplus(raw + offset), 1e6)
    return isCircular
      ? concatenate([learned, learned.columns(0..<1)], axis: 1) : Spline.padded(learned, 1, 1)
  }
}
