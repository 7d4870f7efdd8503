import Foundation
import Testing

@testable import Privacy

/// The accountant of Rényi divergences against quadrature and dp-accounting.
@Suite struct RDPTests {
  /// Single steps: rate, noise, order and divergence. 30-digit quadrature, and dp-accounting at whole orders.
  static let steps: [(Double, Double, Double, Double)] = [
    (0.01, 1, 1.1, 9.241471084687e-5), (0.01, 1, 1.5, 1.2725374332745e-4), (0.01, 1, 2, 1.7181342207455e-4),
    (0.01, 1, 2.5, 2.1757533228188e-4), (0.01, 1, 7.8, 8.475661385627e-4), (0.01, 1, 16, 3.0878507836962),
    (0.01, 4, 1.5, 4.8354931756332e-6), (0.01, 4, 32, 1.0526360659082e-4), (0.1, 0.8, 1.5, 0.023305046249859),
    (0.1, 0.8, 2.5, 0.058087571083751), (0.004, 1.1, 5.5, 5.8049955100444e-5),
    (0.01, 1, 3, 2.646375745846693e-4), (0.01, 1, 4, 3.631540489107668e-4), (0.01, 1, 8, 8.93643907606041e-4),
    (0.01, 1, 32, 11.246275937048), (0.1, 0.8, 4, 0.3371327066835503), (0.1, 0.8, 8, 3.61865742244435),
  ]

  @Test(arguments: steps.indices) func step(_ i: Int) throws {
    let (rate, noise, order, expected) = Self.steps[i]
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: rate, noiseMultiplier: noise), steps: 1)
    let divergence = try RDPAccountant(orders: [order]).divergences(of: ledger)[0]
    #expect(abs(divergence / expected - 1) < 1e-12, "\(divergence), expected \(expected)")
  }

  /// Tiny and huge moments of any real order, relative to log A itself.
  @Test(arguments: Fixture.shared.moments.indices) func moment(_ i: Int) throws {
    let row = Fixture.shared.moments[i]
    let value = try SubsampledGaussian(rate: row.rate, noiseMultiplier: row.noise).logMoment(row.order)
    #expect(abs(value / row.value - 1) < 1e-12, "\(row): \(value)")
  }

  @Test(arguments: Run.all) func composed(_ run: Run) throws {
    let ledger = try run.ledger()
    let (epsilon, order) = try RDPAccountant().epsilon(of: ledger, delta: run.delta)
    // dp-accounting is a little too large at fractional orders.
    #expect(epsilon < run.rdp + 1e-9 && epsilon > run.rdp * (1 - 3e-4) && order == run.order)
    let classic = try RDPAccountant(conversion: .classic).epsilon(of: ledger, delta: run.delta).epsilon
    #expect(classic < run.classic + 1e-9 && classic > run.classic * (1 - 3e-4), "\(classic)")
    if let whole = run.whole {
      let accountant = try RDPAccountant(orders: (2...64).map(Double.init))
      #expect(abs(try accountant.epsilon(of: ledger, delta: run.delta).epsilon - whole) < 1e-9)
    }
    if let exact = run.exact {
      let fine = try RDPAccountant(orders: (20..<200).map { Double($0) / 10 })
      #expect(abs(try fine.epsilon(of: ledger, delta: run.delta).epsilon - exact) < 1e-9)
    }
    // The two questions are each other's inverse.
    #expect(abs(try RDPAccountant().delta(of: ledger, epsilon: epsilon) / run.delta - 1) < 1e-9)
  }

  @Test func heterogeneousStepsAdd() throws {
    let (a, b) = (
      try SubsampledGaussian(rate: 0.01, noiseMultiplier: 1),
      try SubsampledGaussian(rate: 0.2, noiseMultiplier: 3)
    )
    let accountant = RDPAccountant()
    let one = accountant.divergences(of: try PrivacyLedger(a, steps: 7))
    let other = accountant.divergences(of: try PrivacyLedger(b, steps: 2))
    let both = try PrivacyLedger(a, steps: 3).charging(b, steps: 2).charging(a, steps: 4)
    #expect(both.entries.count == 2 && both.steps == 9)
    for (sum, parts) in zip(accountant.divergences(of: both), zip(one, other)) {
      #expect(abs(sum / (parts.0 + parts.1) - 1) < 1e-14)
    }
  }

  @Test func nothingIsFree() throws {
    let none = try SubsampledGaussian(rate: 0, noiseMultiplier: 1)
    for ledger in [PrivacyLedger(), try PrivacyLedger(none, steps: 100)] {
      #expect(try RDPAccountant().epsilon(of: ledger, delta: 1e-5).epsilon == 0)
      #expect(try RDPAccountant().delta(of: ledger, epsilon: 0) == 0)
      #expect(try PLDAccountant(points: 256).epsilon(of: ledger, delta: 1e-5).upper == 0)
      #expect(try PLDAccountant(points: 256).delta(of: ledger, epsilon: 0).upper == 0)
    }
    // A loss whose total variation is below δ.
    let tiny = try PrivacyLedger(SubsampledGaussian(rate: 1e-9, noiseMultiplier: 1), steps: 1)
    #expect(try RDPAccountant().epsilon(of: tiny, delta: 1e-5).epsilon == 0)
  }
}
