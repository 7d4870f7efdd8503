import Foundation
import Privacy

/// The reference numbers of `Tests/Fixtures/make_privacy.py`.
struct Fixture: Decodable {
  struct Moment: Decodable {
    let rate, noise, order, value: Double
  }
  struct Delta: Decodable {
    let rate, noise, epsilon, remove, add: Double
  }
  struct Composed: Decodable {
    let parts: [[Double]]
    let delta, lower, upper: Double
  }
  struct Interval: Decodable {
    let successes, trials: Int
    let confidence, lower, upper: Double
  }

  let moments: [Moment]
  let deltas: [Delta]
  let composed: [Composed]
  let intervals: [Interval]

  static let shared: Fixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/privacy.json")
    do {
      return try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

/// Steps of one mechanism with ε by several methods, from dp-accounting 0.6.0 and 30-digit quadrature.
struct Run: Sendable, CustomStringConvertible {
  let rate, noise: Double
  let steps: Int
  let delta: Double
  /// ε of dp-accounting's RDP accountant, whose fractional orders are too large, and its order.
  let rdp, order: Double
  /// ε over the whole orders 2...64.
  let whole: Double?
  /// ε by the classic conversion.
  let classic: Double
  /// ε of dp-accounting's accountant of privacy loss distributions, and the step of its grid.
  let pld, step: Double
  /// δ at ε = 1 by the same.
  var deltaAtOne: Double?
  /// ε over exact fractional orders.
  var exact: Double?

  func ledger() throws -> PrivacyLedger {
    try PrivacyLedger(SubsampledGaussian(rate: rate, noiseMultiplier: noise), steps: steps)
  }
  var description: String { "q \(rate), sigma \(noise), T \(steps), delta \(delta)" }

  static let all = [
    Run(
      rate: 0.01, noise: 1, steps: 1_000, delta: 1e-5, rdp: 2.101366525, order: 7.8, whole: 2.107753075,
      classic: 2.537983714, pld: 1.82823695, step: 2e-5, deltaAtOne: 0.0026124236, exact: 2.1013652716),
    Run(
      rate: 0.01, noise: 4, steps: 10_000, delta: 1e-5, rdp: 1.035490066, order: 17, whole: 1.035490066,
      classic: 1.258574741, pld: 0.94687215, step: 2e-5, deltaAtOne: 4.2438764e-6, exact: 1.0353848582),
    Run(
      rate: 0.1, noise: 0.8, steps: 10, delta: 1e-5, rdp: 5.444103787, order: 3.4, whole: 5.752276871,
      classic: 6.302316911, pld: 4.54321139, step: 2e-5, deltaAtOne: 0.0277190060, exact: 5.4430258016),
    Run(
      rate: 0.05, noise: 2, steps: 200, delta: 1e-4, rdp: 1.468745241, order: 9.6, whole: 1.470990348,
      classic: 1.826422012, pld: 1.30382319, step: 2e-5, deltaAtOne: 0.0010650894, exact: 1.4687452394),
    Run(
      rate: 200.0 / 32561, noise: 1, steps: 3_256, delta: 1e-5, rdp: 2.157071625, order: 8.4,
      whole: 2.166865638, classic: 2.564452771, pld: 1.93942368, step: 2e-5, deltaAtOne: 0.0045892777,
      exact: 2.1570714813),
    Run(
      rate: 256.0 / 60000, noise: 1.1, steps: 14_040, delta: 1e-5, rdp: 2.594363356, order: 8.1, whole: nil,
      classic: 3.005874874, pld: 2.379643521, step: 1e-4),
    Run(
      rate: 64.0 / 1437, noise: 2, steps: 500, delta: 1e-4, rdp: 2.104189558, order: 7.5, whole: nil,
      classic: 2.539042583, pld: 1.885811619, step: 1e-4),
    Run(
      rate: 1, noise: 2, steps: 1, delta: 1e-5, rdp: 2.165715659, order: 9.6, whole: nil,
      classic: 2.524263069,
      pld: 1.993091408, step: 1e-4, exact: 2.165715659),
    Run(
      rate: 1, noise: 10, steps: 100, delta: 1e-5, rdp: 4.728507067, order: 5.4, whole: nil,
      classic: 5.298526139, pld: 4.3771781, step: 1e-4, exact: 4.728507067),
  ]
}

/// The δ of the Gaussian mechanism without subsampling at an ε (Balle and Wang 2018, theorem 8).
func gaussianDelta(_ noise: Double, _ epsilon: Double) -> Double {
  func phi(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
  return phi(0.5 / noise - epsilon * noise) - exp(epsilon) * phi(-0.5 / noise - epsilon * noise)
}
