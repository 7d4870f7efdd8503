import Bijections
import Randomness
import Synchronization
import Tensors
import TestSupport
import Testing

/// ±10⁻³⁰⁰ … ±10³⁰⁰, or what float32 holds of it, and 0.
private func ladder(_ dtype: DType) -> [Double] {
  let most = dtype == .float32 ? 36 : 300
  let exponents = Array(stride(from: -most, through: most, by: most / 12)) + [-6, -3, 1, 2, 3, 4, 6, 8]
  let positive = exponents.map { pow(Tensor(10, dtype: .float64), Double($0)).item }
  return [0] + positive + positive.map { -$0 }
}

/// A numerically inverted transformer with raw parameters of one size.
private struct Row: Sendable, CustomTestStringConvertible {
  let transformer: any Transformer
  let size: Double
  let dtype: DType
  var testDescription: String { "\(transformer.name), \(size), \(dtype)" }

  static let all: [Row] = {
    let transformers: [any Transformer] = [
      SumOfSquares(degree: 5), SumOfSquares(polynomials: 1, degree: 0), SumOfSquares(degree: 2),
      DeepSigmoidal(units: 5), DeepSigmoidal(units: 4, layers: 3), MixtureOfLogistics(components: 5),
      CubicSpline(),
    ]
    return transformers.flatMap { transformer in
      [0, 1, 4].flatMap { size in
        [DType.float32, .float64].map { Row(transformer: transformer, size: size, dtype: $0) }
      }
    }
  }()

  func raw(_ count: Int) -> Tensor {
    (size * Key(7).normal([count, transformer.parameterCount])).cast(to: dtype)
  }
}

@Suite struct MonotoneSolverTests {
  /// A result is right to the map's conditioning, over all magnitudes: y lies between the values a few floats
  /// to both sides, but for the rounding of the map.
  @Test(arguments: Row.all) private func roundTripsOverAllMagnitudes(_ row: Row) {
    let values = ladder(row.dtype)
    let y = Tensor(values, shape: [values.count, 1], dtype: row.dtype)
    let raw = row.raw(values.count)
    let x = row.transformer.inverse(y, raw).outputs
    let eps = row.dtype.epsilon
    func forward(_ x: Tensor) -> [Double] { row.transformer.forward(x, raw).outputs.doubles }
    let away = 8 * eps * abs(x)
    let (below, above) = (forward(x - away), forward(x + away))
    let most: Double = row.dtype == .float32 ? 0x1.fffffep127 : .greatestFiniteMagnitude
    let (first, last) = (
      forward(.full(x.shape, -most, dtype: x.dtype)), forward(.full(x.shape, most, dtype: x.dtype))
    )
    for i in values.indices {
      if x.doubles[i].isInfinite {  // No finite number reaches y.
        #expect(x.doubles[i] > 0 ? last[i] < values[i] : first[i] > values[i])
        continue
      }
      let rounding = 64 * eps * max(1, row.size) * max(1, abs(values[i]))
      #expect(
        below[i] - rounding <= values[i] && values[i] <= above[i] + rounding,
        "y = \(values[i]): x = \(x.doubles[i]), where y is in \(below[i])...\(above[i])")
    }
  }

  /// A polynomial of degree 11: the values at which the search once ended far from the root.
  @Test func steepPolynomialsAreSolvedFarOut() {
    let transformer = SumOfSquares(degree: 5)
    let x = Tensor([1e3, 1e4, -1e6, 1e12, -1e25], shape: [5, 1], dtype: .float64)
    let raw = Key(7).normal([1, transformer.parameterCount]).cast(to: .float64)
      .broadcast(to: [5, transformer.parameterCount])
    let back = transformer.inverse(transformer.forward(x, raw).outputs, raw).outputs
    for (found, x) in zip(back.doubles, x.doubles) { #expect(abs(found / x - 1) <= 1e-15) }
  }

  private typealias Function = @Sendable (Tensor) -> (value: Tensor, slope: Tensor)

  /// A wrong slope costs steps and nothing else: without Newton's method, the bracket is halved among floats.
  @Test(arguments: [DType.float32, .float64]) func aBracketClosesFromAnywhere(_ dtype: DType) {
    let functions: [(most: Int, f: Function)] = [
      (8, { (1.1 * $0 + 0.3 * tanh($0) + 2, 1.1 + 0.3 * (1 - square(tanh($0)))) }),
      (4, { (1e5 * $0, .full($0.shape, 1e5, dtype: $0.dtype)) }),
      (60, { ($0 + $0 * $0 * $0, 1 + 3 * $0 * $0) }),
      (150, { ($0 * $0 * $0, .ones($0.shape, dtype: $0.dtype)) }),
      (150, { ($0 * $0 * $0, .full($0.shape, .nan, dtype: $0.dtype)) }),
    ]
    for (i, (most, f)) in functions.enumerated() {
      for y in ladder(dtype) {
        let count = Mutex(0)
        let target = Tensor([y], dtype: dtype)
        let x = inverseOfMonotone(at: target) { x, _ in
          count.withLock { $0 += 1 }
          return f(x)
        }
        #expect(count.withLock { $0 } <= most, "\(count.withLock { $0 }) evaluations of \(i) for \(y)")
        let away = dtype.epsilon * abs(x)
        let (below, above) = (f(x - away).value.item, f(x + away).value.item)
        let rounding = 2 * dtype.epsilon
        #expect(
          below - rounding <= target.item && target.item <= above + rounding, "\(i): \(x.item) for \(y)")
      }
    }
  }

  private func solution(
    _ y: Double, between bracket: (Double, Double)? = nil, _ f: @escaping @Sendable (Tensor) -> Tensor
  ) -> Double {
    func end(_ x: Double) -> Tensor { Tensor([x], dtype: .float64) }
    return inverseOfMonotone(at: end(y), between: bracket.map { (end($0.0), end($0.1)) }) { x, _ in
      let (value, slope) = jvp(at: x, along: .ones(x.shape, dtype: x.dtype), f)
      return (value, slope)
    }.item
  }

  @Test func aSearchThatCannotEndIsNaN() {
    #expect(solution(5, between: (0, 1)) { $0 }.isNaN, "the bracket does not contain x")
    #expect(solution(-5, between: (0, 1)) { $0 }.isNaN)
    #expect(solution(5, between: (1, 0)) { $0 }.isNaN)
    #expect(solution(.infinity, between: (0, 1)) { $0 }.isNaN)
    #expect(solution(-1) { log($0) - log(-$0) }.isNaN, "the function is NaN everywhere")
    #expect(solution(0.5) { $0 - log(1 - $0) + log(1 - $0 - 1e-9) }.isFinite)
  }

  @Test func edgesOfTheSearch() {
    // The end itself, which the middle of the bracket would never reach.
    #expect(solution(0, between: (0, 1)) { $0 * (3 - $0) / 2 } == 0)
    #expect(solution(1, between: (0, 1)) { $0 * (3 - $0) / 2 } == 1)
    // Values that no finite number has.
    #expect(solution(1e308) { 1e-3 * $0 } == .infinity)
    #expect(solution(-1e308) { 1e-3 * $0 } == -.infinity)
    #expect(solution(.infinity) { $0 } == .infinity)
    // inf - inf is NaN far out; the root is near 10.
    #expect(abs(solution(1e200) { $0 * $0 * $0 - $0 * $0 + $0 } / 4.641588833612779e66 - 1) < 1e-15)
    #expect(abs(solution(910) { $0 * $0 * $0 - $0 * $0 + $0 } - 10) < 1e-14)
  }
}
