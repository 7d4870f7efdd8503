#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The bounds of a probability that was seen `successes` times in `trials` (Clopper and Pearson 1934). Each
/// holds by itself with this confidence.
///
/// - Throws: `PrivacyError.outOfRange` for no trials, more successes than trials, and a confidence outside
///   (0, 1).
public func clopperPearson(
  successes: Int, trials: Int, confidence: Double
) throws(PrivacyError) -> ClosedRange<Double> {
  let who = "clopperPearson"
  try check(trials > 0, who, "trials", "of at least 1", trials)
  try check((0...trials).contains(successes), who, "successes", "from 0 to \(trials)", successes)
  try check(confidence > 0 && confidence < 1, who, "a confidence", "above 0 and below 1", confidence)
  let (k, n) = (Double(successes), Double(trials))
  let lower = successes == 0 ? 0 : betaQuantile(1 - confidence, k, n - k + 1)
  let upper = successes == trials ? 1 : 1 - betaQuantile(1 - confidence, n - k, k + 1)
  return lower...max(lower, upper)
}

/// The x at which the incomplete beta function has a value, by bisection.
private func betaQuantile(_ probability: Double, _ a: Double, _ b: Double) -> Double {
  var (low, high) = (0.0, 1.0)
  for _ in 0..<200 where high - low > 2e-16 * high {
    let middle = low > 0 && high > 4 * low ? (low * high).squareRoot() : (low + high) / 2
    if regularizedBeta(middle, a, b) < probability { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

/// The regularized incomplete beta function I_x(a, b).
///
/// By the continued fraction of DLMF 8.17.22, evaluated from the front (Lentz), which converges for
/// x < (a + 1)/(a + b + 2) in about √max(a, b) terms. Beyond, I_x(a, b) = 1 − I_{1−x}(b, a).
func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  if x <= 0 || x >= 1 { return x <= 0 ? 0 : 1 }
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
  let logFactor = a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)
  let tiny = 1e-300
  func away(_ x: Double) -> Double { abs(x) < tiny ? tiny : x }
  var c = 1.0
  var d = 1 / away(1 - (a + b) * x / (a + 1))
  var fraction = d
  for m in stride(from: 1.0, to: 100_000, by: 1) {
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    var change = 1.0
    for term in [even, odd] {
      d = 1 / away(1 + term * d)
      c = away(1 + term / c)
      change = c * d
      fraction *= change
    }
    if abs(change - 1) < 1e-15 { break }
  }
  return exp(logFactor) * fraction / a
}
