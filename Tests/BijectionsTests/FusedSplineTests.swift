import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

@testable import Bijections

/// The rational-quadratic kernel is its composition of small primitives: values, slopes and every cotangent.
@Suite struct FusedSplineTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let isCircular: Bool
    let isInverse: Bool
    let bins: Int
    let spread: Double

    var testDescription: String {
      "\(bins) bins\(isCircular ? ", circular" : "")\(isInverse ? ", inverse" : ""), raw ± \(spread)"
    }
    static let all = [false, true].flatMap { isCircular in
      [false, true].flatMap { isInverse in
        [(1, 1.0), (2, 1), (5, 3), (8, 0), (8, 30), (17, 1)].map { bins, spread in
          Case(isCircular: isCircular, isInverse: isInverse, bins: bins, spread: spread)
        }
      }
    }
  }

  @Test(arguments: Case.all) func agreement(_ test: Case) throws {
    let form = RationalQuadraticForm(
      "test", bins: test.bins, isCircular: test.isCircular, bound: 3, minimumBin: 1e-3,
      minimumDerivative: 1e-3)
    // More numbers than a vector and not a whole number of them; some outside, some on the bounds.
    let numbers = concatenate(
      [Key(1).uniform([28], in: -4..<4).cast(to: .float64), Tensor([-3, 3, 0], dtype: .float64)], axis: 0)
    let count = 3 * test.bins - (test.isCircular ? 0 : 1)
    let raw = test.spread * Key(2).normal([31, count]).cast(to: .float64)

    let (y, logSlope) = form.map(numbers, raw, isInverse: test.isInverse)
    let (y0, logSlope0) = form.composed(numbers, raw, isInverse: test.isInverse)
    #expect(isClose(y, y0, 1e-12))
    #expect(isClose(logSlope, logSlope0, 1e-9))

    let (a, b) = (wave([31], dtype: .float64), wave([31], dtype: .float64) + 0.5)
    func cotangents(
      _ map: (Tensor, Tensor) -> (outputs: Tensor, logSlope: Tensor)
    ) -> (numbers: Tensor, raw: Tensor) {
      func score(_ x: Tensor, _ raw: Tensor) -> Tensor {
        let (y, logSlope) = map(x, raw)
        return (a * y + b * logSlope).sum()
      }
      return (gradient(at: numbers) { score($0, raw) }, gradient(at: raw) { score(numbers, $0) })
    }
    let fused = cotangents { form.map($0, $1, isInverse: test.isInverse) }
    let composed = cotangents { form.composed($0, $1, isInverse: test.isInverse) }
    // Steep pieces have large derivatives: an error counts by the largest one of its kind.
    for (x, x0) in [(fused.numbers, composed.numbers), (fused.raw, composed.raw)] {
      let scale = max(1, abs(x0.reshaped(to: [x0.count])).max(axis: 0).item)
      #expect(isClose(x / scale, x0 / scale, 1e-10))
    }
  }

  /// A lane's bits do not depend on its neighbours.
  @Test func aNumberAlone() throws {
    let form = RationalQuadraticForm("test", bins: 8, bound: 3, minimumBin: 1e-3, minimumDerivative: 1e-3)
    let (x, raw) = (Key(1).normal([21]), Key(2).normal([21, 23]))
    let all = form.map(x, raw, isInverse: true)
    for i in 0..<21 {
      let one = form.map(x[i..<i + 1], raw[i..<i + 1], isInverse: true)
      #expect(one.outputs.isIdentical(to: all.outputs[i..<i + 1]))
      #expect(one.logSlope.isIdentical(to: all.logSlope[i..<i + 1]))
    }
  }

  /// More bins than the kernel holds run in small primitives.
  @Test func manyBins() throws {
    let coupling = Coupling(MLP(hidden: [4]), RationalQuadraticSpline(bins: 80))
    try LogDetCheck(of: coupling, inputDim: 2, key: Key(0)).verify()
  }
}
