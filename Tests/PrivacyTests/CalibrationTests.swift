import Foundation
import Privacy
import Testing

/// The noise for a wished guarantee, and refusals of bad input.
@Suite struct CalibrationTests {
  @Test(arguments: [
    (3.0, 1e-5, 0.01, 1_000), (0.5, 1e-6, 0.1, 50), (8, 1e-3, 1, 10), (1, 1e-5, 0.001, 1_000_000),
  ])
  func byMoments(epsilon: Double, delta: Double, rate: Double, steps: Int) throws {
    let accountant = RDPAccountant()
    let noise = try accountant.noiseMultiplier(epsilon: epsilon, delta: delta, rate: rate, steps: steps)
    func spent(_ noise: Double) throws -> Double {
      let mechanism = try SubsampledGaussian(rate: rate, noiseMultiplier: noise)
      return try accountant.safeEpsilon(of: PrivacyLedger(mechanism, steps: steps), delta: delta)
    }
    #expect(try spent(noise) <= epsilon)
    #expect(try spent(noise / 1.0002) > epsilon)
  }

  /// The noise of the analytic Gaussian mechanism, and the charge of other steps.
  @Test func byLossDistributions() throws {
    let accountant = PLDAccountant(points: 1 << 11)
    let noise = try accountant.noiseMultiplier(epsilon: 1.9930914044151, delta: 1e-5, rate: 1, steps: 1)
    #expect(noise >= 2 && noise < 2.001)
    let half = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 8.0.squareRoot()), steps: 1)
    let rest = try accountant.noiseMultiplier(
      epsilon: 1.9930914044151, delta: 1e-5, rate: 1, steps: 1, besides: half)
    #expect(rest >= 8.0.squareRoot() && rest < 2.832)
    // Less noise than by moments, for subsampled steps.
    let subsampled = try accountant.noiseMultiplier(epsilon: 3, delta: 1e-5, rate: 0.1, steps: 20)
    let moments = try RDPAccountant().noiseMultiplier(epsilon: 3, delta: 1e-5, rate: 0.1, steps: 20)
    #expect(subsampled < moments && subsampled > 0.8 * moments)
  }

  @Test func extremes() throws {
    let accountant = RDPAccountant()
    // The least noise is enough.
    #expect(try accountant.noiseMultiplier(epsilon: 1e4, delta: 1e-5, rate: 0.1, steps: 1) == 0.05)
    #expect(try accountant.noiseMultiplier(epsilon: 1, delta: 1e-5, rate: 0, steps: 100) == 0.05)
    let error = #expect(throws: PrivacyError.self) {
      try accountant.noiseMultiplier(epsilon: 1e-9, delta: 1e-5, rate: 1, steps: 1_000_000)
    }
    #expect(
      error?.description
        == "noiseMultiplier: no noise multiplier up to 1000000.0 gives epsilon 1e-09 at delta "
        + "1e-05; take fewer steps, a smaller rate or a larger epsilon")
  }

  @Test(arguments: [-0.1, 1.1, .nan, .infinity]) func rates(rate: Double) {
    let error = #expect(throws: PrivacyError.self) { try SubsampledGaussian(rate: rate, noiseMultiplier: 1) }
    #expect(error?.description == "SubsampledGaussian: expected a rate from 0 to 1, got \(rate)")
  }

  @Test(arguments: [-1, 0, 0.01, .nan, .infinity]) func noises(noise: Double) {
    let error = #expect(throws: PrivacyError.self) {
      try SubsampledGaussian(rate: 0.1, noiseMultiplier: noise)
    }
    #expect(
      error?.description
        == "SubsampledGaussian: expected a noise multiplier from 0.05 to 1000000.0, since less "
        + "noise protects nobody, got \(noise)")
  }

  @Test(arguments: [-1e-5, 0, 1, 1.5, .nan, .infinity]) func deltas(delta: Double) throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 0.1, noiseMultiplier: 1), steps: 1)
    let error = #expect(throws: PrivacyError.self) { try RDPAccountant().epsilon(of: ledger, delta: delta) }
    #expect(error?.description == "RDPAccountant: expected a delta above 0 and below 1, got \(delta)")
    #expect(throws: PrivacyError.self) { try PLDAccountant(points: 256).epsilon(of: ledger, delta: delta) }
    #expect(throws: PrivacyError.self) {
      try RDPAccountant().noiseMultiplier(epsilon: 1, delta: delta, rate: 0.1, steps: 10)
    }
  }

  @Test func others() throws {
    let mechanism = try SubsampledGaussian(rate: 0.1, noiseMultiplier: 1)
    let ledger = try PrivacyLedger(mechanism, steps: 1)
    for steps in [-1, 2_000_000_000] {
      #expect(throws: PrivacyError.self) { try PrivacyLedger(mechanism, steps: steps) }
    }
    #expect(throws: PrivacyError.self) { try ledger.charging(mechanism, steps: 1_000_000_000) }
    for epsilon in [-1, .nan, .infinity] {
      #expect(throws: PrivacyError.self) { try RDPAccountant().delta(of: ledger, epsilon: epsilon) }
      #expect(throws: PrivacyError.self) {
        try PLDAccountant(points: 256).delta(of: ledger, epsilon: epsilon)
      }
    }
    for epsilon in [-1, 0, .nan, .infinity] {
      #expect(throws: PrivacyError.self) {
        try RDPAccountant().noiseMultiplier(epsilon: epsilon, delta: 1e-5, rate: 0.1, steps: 1)
      }
    }
    for orders in [[], [1], [0.5], [.nan], [2, .infinity]] as [[Double]] {
      #expect(throws: PrivacyError.self) { try RDPAccountant(orders: orders) }
    }
    let error = #expect(throws: PrivacyError.self) {
      try PLDAccountant(points: 256).epsilon(of: ledger, delta: 1e-101)
    }
    #expect(error?.description == "PLDAccountant: expected a delta from 1e-100 to below 1, got 1e-101")
  }
}
