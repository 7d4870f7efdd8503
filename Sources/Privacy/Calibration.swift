#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension PrivacyAccountant {
  /// The least noise multiplier for a wished guarantee, within a factor of 1.0001.
  ///
  /// It is rounded up: the accountant's safe ε of the result is at most `epsilon`. A search by false
  /// positions of log ε against log σ takes about ten evaluations.
  ///
  /// - Parameters:
  ///   - epsilon: The wished ε.
  ///   - delta: The wished δ.
  ///   - rate: The probability that a row joins a step.
  ///   - steps: The number of steps with this noise.
  ///   - ledger: Steps that are charged besides, if there are any.
  /// - Throws: `PrivacyError.outOfRange` for numbers out of range, `PrivacyError.unreachable` if no noise up
  ///   to 10⁶ suffices.
  public func noiseMultiplier(
    epsilon: Double, delta: Double, rate: Double, steps: Int, besides ledger: PrivacyLedger = PrivacyLedger()
  ) throws(PrivacyError) -> Double {
    try check(epsilon > 0 && epsilon.isFinite, "noiseMultiplier", "an epsilon", "above 0", epsilon)
    func spent(_ noise: Double) throws(PrivacyError) -> Double {
      let mechanism = try SubsampledGaussian(rate: rate, noiseMultiplier: noise)
      return try safeEpsilon(of: ledger.charging(mechanism, steps: steps), delta: delta)
    }
    var (high, ratio) = (1.0, 2.0)
    if !(self is RDPAccountant),
      let enough = try? RDPAccountant().noiseMultiplier(
        epsilon: epsilon, delta: delta, rate: rate, steps: steps, besides: ledger)
    {
      (high, ratio) = (enough, 1.1)  // A cheap start that is near.
    }
    // A bracket: too little noise below, enough above.
    var low = high
    var lowSpent = try spent(high)
    var highSpent = lowSpent
    while highSpent > epsilon {
      guard high < SubsampledGaussian.mostNoise else { throw Self.unreachable(epsilon, delta) }
      (low, lowSpent) = (high, highSpent)
      high = min(ratio * high, SubsampledGaussian.mostNoise)
      highSpent = try spent(high)
      ratio = min(16, ratio * ratio)
    }
    while lowSpent <= epsilon {
      guard low > SubsampledGaussian.leastNoise else { return low }
      (high, highSpent) = (low, lowSpent)
      low = max(low / ratio, SubsampledGaussian.leastNoise)
      lowSpent = try spent(low)
      ratio = min(16, ratio * ratio)
    }
    var (lowWeight, highWeight) = (log(lowSpent / epsilon), log(max(highSpent, 1e-300) / epsilon))
    while high > 1.0001 * low {
      // Illinois, away from the ends so that the bracket closes from both sides.
      let share = min(0.98, max(0.02, lowWeight / (lowWeight - highWeight)))
      let middle = low * pow(high / low, share)
      let value = try spent(middle)
      let weight = log(max(value, 1e-300) / epsilon)
      if value <= epsilon {
        (high, highWeight, lowWeight) = (middle, weight, lowWeight / 2)
      } else {
        (low, lowWeight, highWeight) = (middle, weight, highWeight / 2)
      }
    }
    return high
  }

  private static func unreachable(_ epsilon: Double, _ delta: Double) -> PrivacyError {
    .unreachable(
      who: "noiseMultiplier",
      message: "no noise multiplier up to \(SubsampledGaussian.mostNoise) gives epsilon \(epsilon) at delta "
        + "\(delta); take fewer steps, a smaller rate or a larger epsilon")
  }
}
