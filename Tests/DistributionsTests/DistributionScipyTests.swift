import Distributions
import Foundation
import Randomness
import Tensors
import TestSupport
import Testing

/// What `Tests/Fixtures/make_distributions.py` wrote.
private struct ScipyFixture: Decodable {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Projection: Decodable {
      let direction: [Double]
      let threshold: Double
      let probability: Double
    }
    let name: String
    let x: [[Double]]
    let logPDF: [Double?]
    let projections: [Projection]

    var testDescription: String { name }
    var row: DistributionRow { distributionTable.first { $0.name == name }! }
    var expected: Tensor { Tensor(logPDF.map { $0 ?? -.infinity }, dtype: .float64) }
  }
  struct Bessel: Decodable {
    let x: Double
    let logScaledI0: Double
    let derivative: Double
  }
  struct Gamma: Decodable {
    let x: Double
    let logRatio: Double
  }
  let cases: [Case]
  let bessel: [Bessel]
  let gamma: [Gamma]

  static let shared: ScipyFixture = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
      path: "Fixtures/distributions.json")
    do { return try JSONDecoder().decode(ScipyFixture.self, from: Data(contentsOf: file)) } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}

@Suite struct ScipyTests {
  @Test(arguments: ScipyFixture.shared.cases) private func logDensity(_ item: ScipyFixture.Case) throws {
    for (dtype, tolerance) in [(DType.float64, 1e-9), (.float32, 1e-5)] {
      let row = item.row
      let (params, logPDF, _) = try row.distribution(Key(0), inputDim: row.inputDim, dtype: dtype)
      let density = try logPDF(params, Tensor(item.x, dtype: dtype))
      #expect(isClose(density, item.expected, tolerance), "\(dtype): \(density), expected \(item.expected)")
    }
  }

  /// How often a · x ≤ t among 4,000 draws: within 4.5 standard errors, and one draw, of its probability.
  @Test(arguments: ScipyFixture.shared.cases, [DType.float32, .float64])
  private func draws(_ item: ScipyFixture.Case, _ dtype: DType) throws {
    let (row, count) = (item.row, 4000)
    let (params, _, sample) = try row.distribution(Key(0), inputDim: row.inputDim, dtype: dtype)
    let draws = try sample(Key(5), params, count: count).cast(to: .float64)
    for projection in item.projections {
      let along = matmul(draws, Tensor(projection.direction.map { [$0] }, dtype: .float64))
      let frequency = (along .<= projection.threshold).mean().item
      let p = projection.probability
      let error = 4.5 * (p * (1 - p) / Double(count)).squareRoot() + 1 / Double(count)
      #expect(
        abs(frequency - p) <= error,
        "P(\(projection.direction) · x ≤ \(projection.threshold)) = \(p), got \(frequency)")
    }
  }

  /// log I₀ and its derivative, read off the von Mises density at its mode.
  @Test func besselFunction() throws {
    for item in ScipyFixture.shared.bessel where item.x > 0 {
      let (params, logPDF, _) = try VonMises(concentration: .learned(from: item.x))(
        Key(0), inputDim: 1, dtype: .float64)
      let (value, gradient) = try valueAndGradient(at: params) {
        try logPDF($0, .zeros([1, 1], dtype: .float64)).sum()
      }
      #expect(
        abs(-value.item - log(2 * .pi) - item.logScaledI0) <= 1e-13 * max(1, abs(item.logScaledI0)),
        "\(item.x)")
      let derivative = -gradient["logConcentration"].item / item.x
      #expect(
        abs(derivative - item.derivative) <= 1e-12, "\(item.x): \(derivative), expected \(item.derivative)")
    }
  }

  /// log Γ(x + ½) − log Γ(x), read off the normalizer of Student's t.
  @Test func gammaFunction() {
    for item in ScipyFixture.shared.gamma {
      let degrees = 2 * item.x
      let ratio = 0.5 * log(degrees * .pi) - StudentT(degreesOfFreedom: degrees).logNormalizer
      #expect(
        abs(ratio - item.logRatio) <= 2e-14 * max(1, abs(item.logRatio)),
        "\(item.x): \(ratio), expected \(item.logRatio)")
    }
  }
}
