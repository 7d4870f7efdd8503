import Foundation
import Testing

@testable import Privacy

/// The accountant of privacy loss distributions: its bounds enclose what is known otherwise, and are tight.
@Suite struct PLDTests {
  static let accountant = PLDAccountant(points: 1 << 13)

  @Test(arguments: Run.all) func figures(_ run: Run) throws {
    let ledger = try run.ledger()
    let epsilon = try Self.accountant.epsilon(of: ledger, delta: run.delta)
    let rdp = try RDPAccountant().epsilon(of: ledger, delta: run.delta).epsilon
    #expect(epsilon.lower < epsilon.upper && epsilon.upper <= rdp)
    #expect(epsilon.upper - epsilon.lower < 0.06 * epsilon.upper, "\(epsilon)")
    // The figures are upper bounds of a grid with this step.
    #expect(epsilon.lower < run.pld && run.pld < epsilon.upper + run.step / 10, "\(epsilon)")
    if let figure = run.deltaAtOne {
      let delta = try Self.accountant.delta(of: ledger, epsilon: 1)
      #expect(delta.lower < figure && figure < delta.upper && delta.upper < 1.1 * delta.lower, "\(delta)")
    }
  }

  /// A single step's δ is known in closed form.
  @Test(arguments: Fixture.shared.deltas.indices) func singleSteps(_ i: Int) throws {
    let row = Fixture.shared.deltas[i]
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: row.rate, noiseMultiplier: row.noise), steps: 1)
    for (direction, known) in [(LossPair.Direction.remove, row.remove), (.add, row.add)] {
      let delta = Self.accountant.bounds(of: ledger, .epsilon(row.epsilon), in: [direction]) {
        $0.delta(row.epsilon, sign: $1)
      }
      #expect(delta.lower <= known * (1 + 1e-12) && known * (1 - 1e-12) <= delta.upper, "\(delta)")
      #expect(delta.upper <= 1.02 * delta.lower + 1e-18, "\(direction): \(delta)")
    }
    let worse = max(row.remove, row.add, PLDAccountant.leastDelta)
    let epsilon = try Self.accountant.epsilon(of: ledger, delta: worse)
    #expect(epsilon.lower <= row.epsilon + 1e-9 && row.epsilon - 1e-9 <= epsilon.upper, "\(epsilon)")
    let delta = try Self.accountant.delta(of: ledger, epsilon: row.epsilon)
    #expect(delta.lower <= worse * (1 + 1e-12) && worse * (1 - 1e-12) <= delta.upper, "\(delta)")
  }

  /// Both roundings of dp-accounting meet these bounds.
  @Test(arguments: Fixture.shared.composed.indices) func heterogeneous(_ i: Int) throws {
    let row = Fixture.shared.composed[i]
    var ledger = PrivacyLedger()
    for part in row.parts {
      ledger = try ledger.charging(
        SubsampledGaussian(rate: part[0], noiseMultiplier: part[1]), steps: Int(part[2]))
    }
    let epsilon = try PLDAccountant(points: 1 << 15).epsilon(of: ledger, delta: row.delta)
    #expect(epsilon.lower <= row.upper && row.lower <= epsilon.upper, "\(row): \(epsilon)")
    #expect(epsilon.upper - epsilon.lower < 0.06 * epsilon.upper, "\(epsilon)")
  }

  /// Many unsampled steps are one Gaussian mechanism. The transform does not know that.
  @Test(arguments: [(10.0, 100, 1e-5), (3, 7, 1e-3), (40, 1_000, 1e-12), (10, 50, 1e-60)])
  func analyticGaussian(noise: Double, steps: Int, delta: Double) throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: noise), steps: steps)
    #expect(ledger.merged.steps == 1)
    let single = noise / Double(steps).squareRoot()
    let epsilons = [
      Self.accountant.bounds(of: ledger, .delta(delta)) { $0.epsilon(delta, sign: $1) },
      try Self.accountant.epsilon(of: ledger, delta: delta),
    ]
    for (epsilon, gap) in zip(epsilons, [1e-3, 1e-5]) {
      #expect(gaussianDelta(single, epsilon.lower) >= delta * (1 - 1e-9), "\(epsilon)")
      #expect(gaussianDelta(single, epsilon.upper) <= delta * (1 + 1e-9), "\(epsilon)")
      #expect(epsilon.upper - epsilon.lower < gap * epsilon.upper, "\(epsilon)")
    }
  }

  @Test func knownGaussians() throws {
    for (noise, known) in [(2.0, 1.9930914044151), (1, 4.3771780956812)] {
      let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: noise), steps: 1)
      let epsilon = try Self.accountant.epsilon(of: ledger, delta: 1e-5)
      #expect(epsilon.lower < known && known < epsilon.upper && epsilon.upper - epsilon.lower < 2e-5)
    }
  }

  /// A finer grid tightens both bounds, by about four for each doubling.
  @Test func boundsTighten() throws {
    let ledger = try Run.all[3].ledger()
    let gaps = try [11, 13].map { size in
      let epsilon = try PLDAccountant(points: 1 << size).epsilon(of: ledger, delta: 1e-4)
      return epsilon.upper - epsilon.lower
    }
    #expect(gaps[1] < gaps[0] / 10, "\(gaps)")
  }

  /// Outcomes and losses are each other's inverse, and the masses have the ratio of the loss.
  @Test func lossesOfOutcomes() throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 0.999, noiseMultiplier: 0.3), steps: 1)
    for direction in [LossPair.Direction.remove, .add] {
      let pair = LossPair(ledger.entries[0].mechanism, direction)
      for loss in [-5, -0.5, -1e-3, 0, 0.2, 3.0] {
        let outcome = pair.outcome(of: loss)
        if outcome.isFinite { #expect(abs(pair.loss(of: outcome) - loss) < 1e-12 * (1 + abs(loss))) }
        let next = pair.outcome(of: loss + 1e-6)
        let masses = pair.masses(from: outcome, to: next)
        if masses.numerator > 1e-30 {
          #expect(abs(log(masses.numerator / masses.denominator) - loss) < 2e-6, "\(direction) \(loss)")
        }
      }
    }
  }

  /// All losses are far above ε: δ is 1 but for less than rounding shows.
  @Test func epsilonBelowAllLosses() throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 0.05), steps: 1)
    for epsilon in [0, 20.0, 100] {
      let delta = try Self.accountant.delta(of: ledger, epsilon: epsilon)
      #expect(delta.upper >= gaussianDelta(0.05, epsilon) && delta.lower > 0.999, "\(delta)")
    }
  }

  /// A tail of one in a thousand is cut off. It is charged to the upper bound and missing in the lower one.
  @Test func cutTailsAreCharged() throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: 1, noiseMultiplier: 1), steps: 1)
    let tilt = Tilt(ledger, .remove, .delta(0.01))
    let pair = LossPair(ledger.entries[0].mechanism, .remove)
    let (step, tail) = (1e-3, 1e-3)
    func composed(_ losses: GridLosses) -> ComposedLosses {
      ComposedLosses([(losses, 1)], tilt: tilt, step: step, transform: Fourier(count: 2))
    }
    let above = GridLosses.above(pair, step: step, tail: tail)
    let below = GridLosses.below(pair, step: step, tail: tail)
    #expect(above.masses.reduce(above.infinite, +) >= 1 && above.infinite > tail / 10)
    #expect(below.masses.reduce(0, +) < 1 - tail / 10 && below.infinite == 0)
    for target in [0.01, 0.002] {
      let (upper, lower) = (
        composed(above).epsilon(target, sign: 1), composed(below).epsilon(target, sign: -1)
      )
      #expect(gaussianDelta(1, upper) < target && target < gaussianDelta(1, lower))
      #expect(composed(above).delta(upper, sign: 1) >= gaussianDelta(1, upper))
      #expect(composed(below).delta(upper, sign: -1) <= gaussianDelta(1, upper))
    }
  }

  @Test(arguments: [
    (1e-6, 0.1, 1_000_000), (1e-3, 0.2, 1), (0.9, 30, 1_000_000), (1e-4, 1e5, 1_000),
    (0.999999, 0.1, 1_000),
  ])
  func extremes(rate: Double, noise: Double, steps: Int) throws {
    let ledger = try PrivacyLedger(SubsampledGaussian(rate: rate, noiseMultiplier: noise), steps: steps)
    for delta in [0.3, 1e-30] {
      let epsilon = try PLDAccountant(points: 1 << 10).epsilon(of: ledger, delta: delta)
      let rdp = try RDPAccountant().epsilon(of: ledger, delta: delta).epsilon
      #expect(epsilon.lower >= 0 && epsilon.lower <= epsilon.upper && epsilon.upper <= rdp && rdp.isFinite)
    }
  }

  @Test func transformAndBack() {
    let transform = Fourier(count: 64)
    let start = (0..<64).map { Double($0 * $0 % 17) }
    var (x, y) = (start, [Double](repeating: 0, count: 64))
    transform.forward(&x, &y)
    // Bit-reversed order: entry 1 is the frequency 32, whose twiddles alternate.
    #expect(x[0] == start.reduce(0, +))
    #expect(
      abs(x[1] - start.enumerated().reduce(0) { $0 + ($1.offset % 2 == 0 ? 1 : -1) * $1.element }) < 1e-12)
    transform.backward(&x, &y)
    #expect(zip(x, start).allSatisfy { abs($0 / 64 - $1) < 1e-13 } && y.allSatisfy { abs($0) < 1e-11 })
  }
}
