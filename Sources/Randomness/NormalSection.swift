import CKernels

/// The standard normal distribution between two bounds, with full accuracy in the tails.
struct NormalSection {
  let lower, upper: Double

  /// The quantile of the section at a probability p, 0 < p < 1.
  ///
  /// A section right of zero is mirrored. Let Φ be the distribution function. In logarithms, the equation
  ///
  ///     Φ(x) = Φ(lower) (1 − p) + Φ(upper) p
  ///
  /// is solved for x ≤ 0 if the right side is below one half. Otherwise that for 1 − Φ is solved for −x ≤ 0.
  func quantile(_ p: Double) -> Double {
    if lower >= 0 { return -NormalSection(lower: -upper, upper: -lower).quantile(1 - p) }
    if upper < -1e150 {
      // Squares overflow. From `upper` down, Φ falls like exp(-|upper| d) with the distance d.
      let whole = (upper - lower) * ((-upper - lower) / 2)
      return max(lower, upper - log(p + (1 - p) * exp(-whole)) / upper)
    }
    let below = logLowerTail(lower)
    if upper <= 0 {
      let above = logLowerTail(upper)
      return inverseLogLowerTail(above + log(p + (1 - p) * exp(below - above)))
    }
    let (left, right) = (exp(below), exp(logLowerTail(-upper)))
    let lowerTail = left * (1 - p) + (1 - right) * p
    let upperTail = (1 - left) * (1 - p) + right * p
    return lowerTail < upperTail ? inverseLogLowerTail(log(lowerTail)) : -inverseLogLowerTail(log(upperTail))
  }
}

private let logRootOfTwoPi = 0.918_938_533_204_672_74
private let logOfTwo = 0.693_147_180_559_945_31

/// Computes log Φ(x) for x ≤ 0.
func logLowerTail(_ x: Double) -> Double {
  let t = -x
  if t < 2 { return log((1 - erf(t / 2.0.squareRoot())) / 2) }
  // Laplace's continued fraction Φ(-t) = φ(t) / (t + 1/(t + 2/(t + 3/(t + ...)))), evaluated from its end.
  // The error after n terms is about exp(-2t √n).
  var denominator = t
  let terms = 4 + Int(360 / (t * t))
  for k in stride(from: terms, through: 1, by: -1) { denominator = t + Double(k) / denominator }
  return -t * t / 2 - logRootOfTwoPi - log(denominator)
}

/// The inverse of log Φ for x ≤ 0, by Newton's method.
///
/// log Φ is concave and increasing. So from a start left of the root every step stays left of it and none
/// overshoots. Since Φ(x) ≤ exp(-x²/2) / 2, the start -√(-2 (target + log 2)) is left of the root.
func inverseLogLowerTail(_ target: Double) -> Double {
  guard target > -.infinity else { return -.infinity }
  var x = -max(0, -2 * (target + logOfTwo)).squareRoot()
  for _ in 0..<50 {
    let value = logLowerTail(x)
    let slope = exp(-x * x / 2 - logRootOfTwoPi - value)  // φ / Φ
    let step = (target - value) / slope
    x = min(0, x + step)
    guard abs(step) > 1e-15 * abs(x) else { break }
  }
  return x
}

private func kernel(_ function: ck_function, _ x: Double) -> Double {
  var (x, y) = (x, 0.0)
  ck_unary(CK_F64, function, &x, &y, 1)
  return y
}

private func log(_ x: Double) -> Double { kernel(CK_LOG, x) }
private func exp(_ x: Double) -> Double { kernel(CK_EXP, x) }
private func erf(_ x: Double) -> Double { kernel(CK_ERF, x) }
