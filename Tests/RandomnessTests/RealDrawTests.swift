import Foundation
import Randomness
import Tensors
import Testing

/// Draws of real numbers against `jax.random`.
@Suite struct RealDrawTests {
  @Test(arguments: Fixture.shared.uniforms)
  func uniform(row: Fixture.Draw) {
    let values = Key(row.seed).uniform(Shape(row.shape), in: row.range, dtype: row.type)
    #expect(values.shape == Shape(row.shape) && values.dtype == row.type)
    if let xor = row.xor {
      #expect(values.patterns.reduce(0, ^) == xor.bits)
    } else {
      #expect(values.patterns == row.patterns?.map(\.bits))
    }
  }

  @Test(arguments: Fixture.shared.normals)
  func normal(row: Fixture.Draw) {
    let values = row.chosen(from: Key(row.seed).normal(Shape(row.shape), dtype: row.type))
    let worst = zip(values, row.expected).map { ulpDistance($0, $1, row.type) }.max()
    #expect(values.count == row.expected.count)
    #expect(worst ?? .max <= (row.type == .float32 ? 4 : 64), "\(row)")
  }

  @Test(arguments: Fixture.shared.transformed)
  func transformed(row: Fixture.Draw) throws {
    let (key, shape) = (Key(row.seed), Shape(row.shape))
    let draws: [String: Tensor] = [
      "gumbel": key.gumbel(shape, dtype: row.type), "exponential": key.exponential(shape, dtype: row.type),
      "laplace": key.laplace(shape, dtype: row.type), "logistic": key.logistic(shape, dtype: row.type),
      "cauchy": key.cauchy(shape, dtype: row.type),
    ]
    let name = try #require(row.distribution)
    let values = row.chosen(from: try #require(draws[name]))
    let errors = zip(values, row.expected).map { value, expected in
      switch name {
      case "gumbel": abs(value - expected)
      case "logistic": abs(value - expected) / max(1, abs(expected))
      default: value == expected ? 0 : abs(value - expected) / abs(expected)
      }
    }
    // The promise is 1e-6 for both; double precision does better.
    #expect(errors.count == row.expected.count)
    #expect(try #require(errors.max()) <= (row.type == .float32 ? 1e-6 : 1e-12), "\(row)")
  }

  @Test(arguments: Fixture.shared.truncatedNormals)
  func truncatedNormal(row: Fixture.Draw) throws {
    let values = Key(row.seed).truncatedNormal(Shape(row.shape), in: row.range, dtype: row.type).doubles
    let within = max(abs(row.range.lowerBound), abs(row.range.upperBound)) <= 2
    let excesses = zip(values, row.expected).map { value, expected in
      // Beyond 2, a difference of 3 * 2^-24 in erf(x / sqrt 2) is allowed: JAX has no more digits there in
      // float32.
      let tolerance =
        row.type == .float64 ? 1e-11 : within ? 1e-6 : 1e-6 + 2.25e-7 * exp(expected * expected / 2)
      return abs(value - expected) / tolerance
    }
    #expect(try #require(excesses.max()) <= 1, "\(row)")
    #expect(values.allSatisfy { row.range.lowerBound < $0 && $0 < row.range.upperBound })
  }

  /// In tails, against scipy's quantiles of JAX's uniform numbers.
  @Test(arguments: Fixture.shared.normalSections)
  func truncatedNormalInTails(row: Fixture.Draw) throws {
    let values = Key(row.seed).truncatedNormal(Shape(row.shape), in: row.range, dtype: .float64).doubles
    let errors = zip(values, row.expected).map { abs($0 - $1) / max(1, abs($1)) }
    #expect(try #require(errors.max()) <= 1e-11, "\(row)")
  }

  @Test(
    arguments: [(-2, 2), (0.5, 0.50001), (6, 7), (-40, -39.5), (-.infinity, 1), (3, .infinity)]
      as [(Double, Double)])
  func truncatedNormalStaysInside(low: Double, high: Double) {
    for dtype in [DType.float32, .float64] {
      let values = Key(5).truncatedNormal([5_000], in: low..<high, dtype: dtype).doubles
      #expect(values.allSatisfy { low < $0 && $0 < high && abs($0) < 50 })
    }
  }

  /// Where squares overflow, the number next to zero has all the mass.
  @Test func truncatedNormalFarOut() {
    let far = Key(5).truncatedNormal([50], in: 1e155..<2e155, dtype: .float64).doubles
    #expect(far.allSatisfy { $0 >= 1e155 && $0 <= 1e155 * (1 + 1e-15) })
    let left = Key(5).truncatedNormal([50], in: -.infinity..<(-3e200), dtype: .float64).doubles
    #expect(left.allSatisfy { $0 <= -3e200 && $0 >= -3e200 * (1 + 1e-15) })
  }

  @Test func moments() {
    for dtype in [DType.float32, .float64] {
      let values = Key(1).normal([100_000], dtype: dtype).doubles
      let n = Double(values.count)
      for (power, moment, variance) in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]
        as [(Int, Double, Double)]
      {
        let mean = values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { y, _ in y * x } } / n
        #expect(abs(mean - moment) < 4 * (variance / n).squareRoot())
      }
    }
  }
}
