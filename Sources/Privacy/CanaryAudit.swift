#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A measurement of privacy loss: a lower bound of ε from runs with and without a canary row.
///
/// Somebody who sees a run's result guesses whether the canary was in the data. By (ε, δ) privacy, any event
/// S has P(S with) ≤ e^ε P(S without) + δ and the reverse. Clopper-Pearson bounds of the two probabilities
/// bound ε from below. A bound above the claimed ε shows that the mechanism or its accounting is wrong; one
/// below shows nothing.
public struct CanaryAudit: Sendable {
  /// The claimed δ.
  public let delta: Double
  /// The probability that the bound is below the true ε.
  public let confidence: Double

  /// Makes an audit.
  ///
  /// - Throws: `PrivacyError.outOfRange` for a δ outside [0, 1) or a confidence outside (0, 1).
  public init(delta: Double, confidence: Double = 0.95) throws(PrivacyError) {
    try check(delta >= 0 && delta < 1, "CanaryAudit", "a delta", "from 0 to below 1", delta)
    try check(
      confidence > 0 && confidence < 1, "CanaryAudit", "a confidence", "above 0 and below 1", confidence)
    (self.delta, self.confidence) = (delta, confidence)
  }

  /// The lower bound of ε from guesses.
  ///
  /// - Parameters:
  ///   - hits: The runs with the canary in which the guess was "with".
  ///   - present: The number of runs with the canary.
  ///   - falseAlarms: The runs without it in which the guess was "with".
  ///   - absent: The number of runs without it.
  /// - Throws: `PrivacyError.outOfRange` for no runs, or more guesses than runs.
  public func lowerBound(
    hits: Int, of present: Int, falseAlarms: Int, of absent: Int
  ) throws(PrivacyError) -> Double {
    // Both bounds hold together with the wished confidence.
    let each = 1 - (1 - confidence) / 2
    let hit = try clopperPearson(successes: hits, trials: present, confidence: each).lowerBound
    let alarm = try clopperPearson(successes: falseAlarms, trials: absent, confidence: each).upperBound
    func epsilon(_ more: Double, _ less: Double) -> Double { more > delta ? log((more - delta) / less) : 0 }
    return max(0, epsilon(hit, alarm), epsilon(1 - alarm, 1 - hit))
  }

  /// The lower bound of ε from scores that are larger with the canary.
  ///
  /// The first half of the runs chooses the threshold, and the second half is counted with it.
  ///
  /// - Throws: `PrivacyError.outOfRange` for fewer than two runs of a kind, or a score that is NaN.
  public func lowerBound(present: [Double], absent: [Double]) throws(PrivacyError) -> Double {
    for scores in [present, absent] {
      try check(scores.count >= 2, "CanaryAudit", "runs of each kind", "of at least 2", scores.count)
      try check(!scores.contains { $0.isNaN }, "CanaryAudit", "scores", "other than NaN", "NaN")
    }
    func count(_ scores: some Collection<Double>, _ threshold: Double) -> Int {
      scores.reduce(0) { $0 + ($1 >= threshold ? 1 : 0) }
    }
    func bound(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>, _ threshold: Double) throws(PrivacyError)
      -> Double
    {
      try lowerBound(
        hits: count(a, threshold), of: a.count, falseAlarms: count(b, threshold), of: b.count)
    }
    let (a, b) = (present.count / 2, absent.count / 2)
    var best = (epsilon: -1.0, threshold: 0.0)
    for threshold in candidates(present[..<a] + absent[..<b]) {
      let epsilon = try bound(present[..<a], absent[..<b], threshold)
      if epsilon > best.epsilon { best = (epsilon, threshold) }
    }
    return try bound(present[a...], absent[b...], best.threshold)
  }

  /// Scores at up to 128 ranks, dense at both ends.
  private func candidates(_ scores: ArraySlice<Double>) -> [Double] {
    let sorted = scores.sorted()
    let last = sorted.count - 1
    let near = (0..<64).map { Int(pow(Double(sorted.count), Double($0) / 64)) - 1 }
    return Set(near + near.map { last - $0 }).sorted().map { sorted[$0] }
  }
}
