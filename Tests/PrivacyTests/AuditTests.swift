import Foundation
import Testing

@testable import Privacy

/// Canaries measure the Gaussian mechanism: a sound one stays below its ε, a broken one is caught.
@Suite struct AuditTests {
  static let delta = 1e-5
  static let trials = 40_000

  /// The projections onto the canary of noised sums over `rows` rows of norm at most 1, with and without it.
  private func scores(rows: Int, noise: Double, seed: UInt64, mean: Bool = false) -> (
    present: [Double], absent: [Double]
  ) {
    let source = NoiseSource.notPrivate(seed: seed)
    // The other rows are known to the adversary; they point to both sides.
    let others = (0..<rows - 1).reduce(0) { $0 + ($1 % 2 == 0 ? 0.5 : -0.25) }
    let draws = source.gaussians(2 * Self.trials, deviation: noise, secure: false)
    func run(_ draw: Double, _ canary: Bool) -> Double {
      let sum = others + (canary ? 1 : 0) + draw
      // A divisor that depends on the private number of rows.
      return mean ? sum / Double(rows - (canary ? 0 : 1)) : sum
    }
    return (draws[..<Self.trials].map { run($0, true) }, draws[Self.trials...].map { run($0, false) })
  }

  @Test(arguments: [2, 10, 1_000]) func soundMechanismStaysBelow(rows: Int) throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 2), steps: 1)
    let claimed = try PLDAccountant(points: 1 << 10).epsilon(of: ledger, delta: Self.delta).lower
    let audit = try CanaryAudit(delta: Self.delta, confidence: 0.99)
    let (present, absent) = scores(rows: rows, noise: 2, seed: UInt64(rows))
    let measured = try audit.lowerBound(present: present, absent: absent)
    #expect(measured < claimed && measured > 0.2 * claimed, "\(measured), claimed \(claimed)")

    // Three eighths of the noise.
    let broken = scores(rows: rows, noise: 0.75, seed: UInt64(rows) + 2)
    let caught = try audit.lowerBound(present: broken.present, absent: broken.absent)
    #expect(caught > claimed, "\(caught), claimed \(claimed)")
  }

  /// Sums over the rows that were sampled, in several steps, against the accountant of subsampled steps.
  @Test(arguments: [2, 10, 1_000]) func subsampledSteps(rows: Int) throws {
    let (rate, noise, steps, trials) = (0.3, 1.0, 2, 10_000)
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: rate, noiseMultiplier: noise), steps: steps)
    let claimed = try PLDAccountant(points: 1 << 11).epsilon(of: ledger, delta: Self.delta).lower
    let source = NoiseSource.notPrivate(seed: UInt64(rows))
    func runs(_ isPresent: Bool, _ deviation: Double) -> [Double] {
      let joins = isPresent ? source.poissonSample(rate: rate, of: trials * steps) : []
      var sums = source.gaussians(trials * steps, deviation: deviation, secure: false)
      for i in joins { sums[i] += 1 }
      return (0..<trials).map { trial in sums[trial * steps..<(trial + 1) * steps].reduce(0, +) }
    }
    let audit = try CanaryAudit(delta: Self.delta, confidence: 0.99)
    let measured = try audit.lowerBound(present: runs(true, noise), absent: runs(false, noise))
    #expect(measured < claimed && measured > 0.1, "\(measured), claimed \(claimed)")
  }

  /// Division by the private number of rows shifts everything when there are few.
  @Test func privateDivisorIsCaught() throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 2), steps: 1)
    let claimed = try PLDAccountant(points: 1 << 10).epsilon(of: ledger, delta: Self.delta).upper
    let audit = try CanaryAudit(delta: Self.delta, confidence: 0.99)
    // The spread of the result tells two rows from one: without the canary it is twice as wide.
    let (present, absent) = scores(rows: 2, noise: 2, seed: 5, mean: true)
    let wide = try audit.lowerBound(present: absent.map { abs($0) }, absent: present.map { abs($0) })
    #expect(wide > claimed, "\(wide), claimed \(claimed)")
  }

  @Test(arguments: Fixture.shared.intervals.indices) func intervals(_ i: Int) throws {
    let row = Fixture.shared.intervals[i]
    let range = try clopperPearson(successes: row.successes, trials: row.trials, confidence: row.confidence)
    #expect(abs(range.lowerBound - row.lower) <= 1e-10 * row.lower, "\(range)")
    #expect(abs(range.upperBound - row.upper) <= 1e-10 * row.upper, "\(range)")
  }

  @Test func countsByHand() throws {
    let audit = try CanaryAudit(delta: 0, confidence: 0.95)
    // With zero of n, the upper bound at 97.5 % is 1 − 0.025^(1/n).
    let alarm = 1 - pow(0.025, 1.0 / 1000)
    #expect(
      abs(try audit.lowerBound(hits: 1000, of: 1000, falseAlarms: 0, of: 1000) - log((1 - alarm) / alarm))
        < 1e-9)
    #expect(try audit.lowerBound(hits: 500, of: 1000, falseAlarms: 500, of: 1000) == 0)
    // The guess "without" counts as well.
    let mirrored = try audit.lowerBound(hits: 1000, of: 1000, falseAlarms: 800, of: 1000)
    #expect(mirrored > 3)
    let certain = try CanaryAudit(delta: 0.9, confidence: 0.95)
    #expect(try certain.lowerBound(hits: 80, of: 100, falseAlarms: 0, of: 100) == 0)
  }

  @Test func badInput() throws {
    for delta in [-0.1, 1, .nan] { #expect(throws: PrivacyError.self) { try CanaryAudit(delta: delta) } }
    for confidence in [0, 1, .nan] {
      #expect(throws: PrivacyError.self) { try CanaryAudit(delta: 0, confidence: confidence) }
    }
    let audit = try CanaryAudit(delta: 0)
    #expect(throws: PrivacyError.self) { try audit.lowerBound(hits: 1, of: 0, falseAlarms: 0, of: 1) }
    #expect(throws: PrivacyError.self) { try audit.lowerBound(hits: 2, of: 1, falseAlarms: 0, of: 1) }
    #expect(throws: PrivacyError.self) { try audit.lowerBound(hits: 0, of: 1, falseAlarms: -1, of: 1) }
    #expect(throws: PrivacyError.self) { try audit.lowerBound(present: [1], absent: [1, 2]) }
    #expect(throws: PrivacyError.self) { try audit.lowerBound(present: [1, .nan], absent: [1, 2]) }
  }
}
