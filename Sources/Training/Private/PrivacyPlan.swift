import Privacy
import Tensors

/// All numbers of a private fit that its guarantee depends on, declared before the data are read.
///
/// ```swift
/// let plan = try PrivacyPlan(epsilon: 3, delta: 1e-5, rate: 0.01, batch: 200, steps: 1_000)
/// let result = try fit(.maf(), to: rows, privately: plan, key: Key(0))
/// ```
///
/// None of them may be computed from the data. That includes the number of rows, which is private under
/// adding and removing rows: take a round number that you would give for any table of that kind.
public struct PrivacyPlan: Sendable, Hashable {
  /// One step: the rate at which rows join it, and its noise.
  public let mechanism: SubsampledGaussian
  /// The number of steps.
  public let steps: Int
  /// The number by which sums of gradients are divided, about the rows of a step.
  public let batch: Double
  /// The probability for which the guarantee may fail.
  public let delta: Double
  /// The bound of each row's share.
  public let clipping: RowClipping
  /// Whether the gradient of log-determinants of parameters alone is added without clipping and noise.
  ///
  /// Such a gradient depends on no row. It is not cut then, while the part that balances it is. So scales run
  /// away unless the clipping bound is far above the norms of rows' gradients. It is false by default.
  public var addsPublicTerms = false
  /// Whether each noise is half the sum of four draws, which hides low-order bits.
  public var isSecure = true
  /// Other readings of the same rows, such as bought statistics, which count too.
  public let others: PrivacyLedger

  /// A plan with the least noise for a wished ε, by the upper bound of `PLDAccountant`.
  ///
  /// - Parameters:
  ///   - epsilon: the wished ε of all steps and of `others`.
  ///   - delta: the probability for which it may fail, well below one over the rows.
  ///   - rate: the probability that a row joins a step.
  ///   - batch: the declared divisor of sums, about the rows of a step.
  ///   - steps: the number of steps.
  ///   - clipping: the bound of each row's share.
  ///   - others: other readings of the same rows.
  ///   - accountant: the accountant.
  /// - Throws: `PrivacyError` for numbers out of range, or an ε that no noise reaches.
  public init(
    epsilon: Double, delta: Double, rate: Double, batch: Double, steps: Int,
    clipping: RowClipping = .perRow(1), besides others: PrivacyLedger = PrivacyLedger(),
    by accountant: PLDAccountant = PLDAccountant()
  ) throws(PrivacyError) {
    let noise = try accountant.noiseMultiplier(
      epsilon: epsilon, delta: delta, rate: rate, steps: steps, besides: others)
    try self.init(
      noiseMultiplier: noise, delta: delta, rate: rate, batch: batch, steps: steps, clipping: clipping,
      besides: others)
  }

  /// A plan with given noise, in multiples of the clipping bound.
  ///
  /// - Throws: `PrivacyError.outOfRange` for numbers out of range.
  public init(
    noiseMultiplier: Double, delta: Double, rate: Double, batch: Double, steps: Int,
    clipping: RowClipping = .perRow(1), besides others: PrivacyLedger = PrivacyLedger()
  ) throws(PrivacyError) {
    mechanism = try SubsampledGaussian(rate: rate, noiseMultiplier: noiseMultiplier)
    func check(_ isRight: Bool, _ what: String, _ expected: String, _ got: String) throws(PrivacyError) {
      if !isRight { throw .outOfRange(who: "PrivacyPlan", what: what, expected: expected, got: got) }
    }
    try check(steps > 0, "steps", "of at least 1", "\(steps)")
    try check(batch > 0 && batch < .infinity, "a batch", "above 0", "\(batch)")
    try check(delta > 0 && delta < 1, "a delta", "above 0 and below 1", "\(delta)")
    (self.steps, self.batch, self.delta) = (steps, batch, delta)
    (self.clipping, self.others) = (clipping, others)
  }

  /// All readings of the rows.
  public var ledger: PrivacyLedger {
    get throws(PrivacyError) { try others.charging(mechanism, steps: steps) }
  }

  /// The ε that all steps spend, by both accountants.
  public func spent(
    by accountant: PLDAccountant = PLDAccountant()
  ) throws(PrivacyError) -> (moments: Double, losses: PrivacyBounds) {
    let ledger = try ledger
    return (
      try RDPAccountant().safeEpsilon(of: ledger, delta: delta),
      try accountant.epsilon(of: ledger, delta: delta)
    )
  }
}
