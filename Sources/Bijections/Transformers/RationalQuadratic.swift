import CKernels
import Tensors

/// The bins of a rational-quadratic spline for a list of numbers: their corners, slopes and derivatives at
/// the corners.
///
/// With θ = (x − x₀) / w and τ = 1 − θ, s = h / w and derivatives p at the left corner and q at the right
/// one:
///
///     y = y₀ + h (s θ² + p θτ) / d,    d = s + (p + q − 2s) θτ = s (θ² + τ²) + (p + q) θτ
///     dy/dx = (s / d)² (q θ² + 2s θτ + p τ²)
///
/// (arXiv 1906.04032, eqs. 4 and 5.) With the second form of d, all terms are positive, and nothing cancels.
struct RationalQuadraticBins {
  private let x0, y0, width, height, slope, p, q: Tensor

  /// Finds the bins of numbers x [N], or of outputs y if `isInverse`.
  ///
  /// The corners are [N, 2, K + 1], x in row 0 and y in row 1. The derivatives are [N, K + 1].
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

  /// Computes y and log dy/dx.
  func forward(_ x: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let theta = (x - x0) / width
    let (tau, ends) = (1 - theta, theta * (1 - theta))
    let y = y0 + height * (slope * square(theta) + p * ends) / denominator(theta, tau)
    return (y, logSlope(theta, tau))
  }

  /// Computes x and log dy/dx there.
  ///
  /// Let ξ = (y − y₀) / h. Multiplied by d, y's equation is a θ² + b θ − s ξ = 0 with b = pτ′ − qξ + 2sξ,
  /// a = s − b and τ′ = 1 − ξ (eqs. 6-8 divided by h). With m = pτ′ − qξ the discriminant is
  ///
  ///     b² + 4a s ξ = (b − 2sξ)² + 4s² ξ (1 − ξ) = m² + 4s² ξτ′ =: R²,
  ///
  /// a sum of squares, which needs no clamp. The root is θ = 2sξ / (b + R), and 1 − θ = (m + R) / (b + R);
  /// for m < 0, where m + R cancels, m + R = 4s² ξτ′ / (R − m). So θ : τ = A : B with
  ///
  ///     m ≥ 0:  A = 2sξ,    B = R + m          m < 0:  A = R − m,    B = 2sτ′
  ///
  /// without cancellation. (The paper's root loses all digits if q is much larger than s.)
  func inverse(_ y: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let xi = (y - y0) / height
    let rest = 1 - xi
    let m = p * rest - q * xi
    let root = sqrt(square(m) + square(2 * slope) * (xi * rest))
    let isLeft = m.detached .>= 0
    // |m| with a derivative at m = 0, which occurs in the middle of an identity's bin.
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

/// The map of a rational-quadratic spline, inside ±bound on the line or on a circle.
///
/// Its raw parameters are K widths, K heights, and the derivatives: those at inner knots, or on a circle
/// those at all knots but the last.
struct RationalQuadraticForm: Sendable {
  let spline: Spline
  private let isCircular: Bool
  private let derivatives: KnotDerivatives

  init(
    _ who: String, bins: Int, isCircular: Bool = false, bound: Double, minimumBin: Double,
    minimumDerivative: Double
  ) {
    spline = Spline(who, bins: bins, bound: bound, minimumBin: minimumBin)
    self.isCircular = isCircular
    derivatives = KnotDerivatives(who, atLeast: minimumDerivative, isCircular: isCircular)
  }

  /// Computes the spline or its inverse, the identity beyond ±bound, and the logarithm of the forward slope.
  func map(_ x: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if spline.bins > Int(CK_SPLINE_BINS) { return composed(x, raw, isInverse: isInverse) }
    let form = ck_spline_form(
      bins: spline.bins, circular: isCircular, bound: spline.bound, least_bin: spline.minimumBin,
      least_derivative: derivatives.minimum, offset: derivatives.offset)
    let kernel = SplineMap(form: form, isInverse: isInverse) { composed($0, $1, isInverse: isInverse) }
    let results = apply(kernel, Operands(x, raw))
    return (results[0], results[1])
  }

  /// Computes the same by small primitives.
  func composed(_ x: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let count = 2 * spline.bins
    let corners = spline.knots(raw.columns(0..<count).reshaped(to: [raw.rows, 2, spline.bins]))
    let derivatives = derivatives(raw.columns(count..<raw.shape[1]))
    return spline.withIdentityTails(x) { x in
      let bins = RationalQuadraticBins(
        of: x, isInverse: isInverse, corners: corners, derivatives: derivatives)
      return isInverse ? bins.inverse(x) : bins.forward(x)
    }
  }
}
