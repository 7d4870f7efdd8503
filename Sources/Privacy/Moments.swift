#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension SubsampledGaussian {
  /// log A, where A = E_Q[(P/Q)^α], for any real order α. The relative error is about 10⁻¹³ however small it
  /// is.
  ///
  /// Since E_Q[P/Q] = 1, A − 1 is computed directly, as a sum of terms of one sign. For whole orders from 2
  /// it is Σ C(α,k) (1−q)^(α−k) q^k (e^((k²−k)/2σ²) − 1), where the terms of k = 0 and 1 vanish. For the
  /// others it is an integral.
  func logMoment(_ order: Double, below cut: Double = .infinity) -> Double {
    if rate == 0 || order == 0 || order == 1 { return 0 }
    let variance = noiseMultiplier * noiseMultiplier
    if rate == 1 { return (order * order - order) / (2 * variance) }
    if order > 1 && order <= 1024 && order == order.rounded() && cut == .infinity {
      return softplus(logBinomialExcess(order))
    }
    let excess = logIntegralExcess(order, below: cut)
    return order > 0 && order < 1 ? log1p(-exp(excess)) : softplus(excess)
  }

  /// log(A − 1) for a whole order, a sum of positive terms.
  private func logBinomialExcess(_ order: Double) -> Double {
    let variance = noiseMultiplier * noiseMultiplier
    var sum = LogSum()
    var logBinomial = log(order)
    for k in stride(from: 2, through: order, by: 1) {
      logBinomial += log((order - k + 1) / k)
      let exponent = (k * k - k) / (2 * variance)
      let logGrowth = exponent > 30 ? exponent + log1p(-exp(-exponent)) : log(expm1(exponent))
      sum.add(logBinomial + (order - k) * log1p(-rate) + k * log(rate) + logGrowth)
    }
    return sum.value
  }

  /// log |A − 1|, by the trapezoidal rule for E_Q[(1+t)^α − 1 − αt], where t = P/Q − 1.
  ///
  /// With z = σu, t = q(e^w − 1) and w = u/σ − 1/(2σ²). The integrand is analytic for |Im u| < πσ, so steps
  /// of min(1, σ)/4 have a relative error of about e^(−2π²·4). It has one sign.
  private func logIntegralExcess(_ order: Double, below cut: Double) -> Double {
    let sigma = noiseMultiplier
    let half = 1 / (2 * sigma * sigma)
    let width = 0.25 * min(1, sigma)
    let range = outcomes(order)
    let first = (range.lowerBound / width).rounded(.down)
    var sum = LogSum()
    for j in stride(from: first, through: (min(cut, range.upperBound) / width).rounded(.up), by: 1) {
      let u = j * width
      sum.add(logExcess(u / sigma - half, order) - u * u / 2)
    }
    return sum.value + log(width) - 0.5 * log(2 * .pi)
  }

  /// The outcomes u that count: 14 standard deviations around the integrand's peaks, where it falls below
  /// 10⁻⁴².
  ///
  /// For positive orders the peaks lie between 0 and max(α, 2)/σ. For negative ones P^α Q^(1−α) is
  /// log-concave, and its peak solves u = αs/σ, where s is the slope of log P/Q in w. A peak far out leaves
  /// nothing at 0.
  private func outcomes(_ order: Double) -> ClosedRange<Double> {
    let (sigma, reach) = (noiseMultiplier, 14.0)
    if order > 0 { return -reach...max(order, 2) / sigma + reach }
    var (low, high) = (order / sigma, 0.0)
    for _ in 0..<60 {
      let u = (low + high) / 2
      let ratio = (1 - rate) / rate * exp(1 / (2 * sigma * sigma) - u / sigma)
      if u > order / sigma / (1 + ratio) { high = u } else { low = u }
    }
    return low - reach...(low < -reach ? low + reach : reach)
  }

  /// log |(1+t)^α − 1 − αt| for t = q(e^w − 1), without cancellation.
  private func logExcess(_ w: Double, _ order: Double) -> Double {
    if w > 40 {
      // t overflows far out; α > 0 there, since negative orders have no such w.
      let logRatio = w + log(rate) + log1p((1 - rate) / rate * exp(-w))
      if order > 1 {
        let linear = logRatio + log(order) + log1p((1 / order - 1) * exp(-logRatio))
        return order * logRatio + log1p(-exp(linear - order * logRatio))
      }
      let power = exp((order - 1) * logRatio)
      return logRatio + log(abs(power - order - (1 - order) * exp(-logRatio)))
    }
    let t = rate * expm1(w)
    if abs(t) * max(1, abs(order)) < 0.05 {
      var series = 1.0
      for n in stride(from: 12.0, through: 3, by: -1) { series = 1 + (order - n + 1) / n * t * series }
      return log(abs(order * (order - 1) / 2) * series) + 2 * log(abs(t))
    }
    let power = order * log1p(t)
    if power > 40 { return power + log1p(-(1 + order * t) * exp(-power)) }
    return log(abs(expm1(power) - order * t))
  }
}

/// log(1 + e^x).
func softplus(_ x: Double) -> Double { x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)) }

/// The logarithm of a sum of terms that are given by their logarithms.
struct LogSum {
  private var largest = -Double.infinity
  private var sum = 0.0

  mutating func add(_ term: Double) {
    if term == -.infinity { return }
    if term <= largest {
      sum += exp(term - largest)
    } else {
      sum = sum * exp(largest - term) + 1
      largest = term
    }
  }

  var value: Double { largest + log(sum) }
}
