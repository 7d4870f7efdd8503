import Flows
import Foundation
import TestSupport
import Testing

/// A user's type with names of its own that Flows and Foundation know too.
private struct Measure {
  var values: [Double]
  var scale: CGFloat = 1
  var single: Float = 2
}

extension Measure {
  /// Functions of numbers and of tensors, called inside a type.
  func logSumExp() -> Double {
    let largest = values.reduce(-.infinity) { max($0, $1) }
    return largest + log(values.map { exp($0 - largest) }.reduce(0, +))
  }

  var norm: Double { sqrt(values.map { pow(abs($0), 2) }.reduce(0, +)) }
  var singles: Float { exp(log(single)) + tanh(single) - tanh(single) + round(0.4) + min(single, 0) }
  var graphics: CGFloat { sqrt(scale) * cos(0) + floor(scale) - erf(0) + sin(0) }
  var tensor: Tensor { tanh(log(exp(Tensor(values, dtype: .float64)))) }

  static func bell(_ x: Double) -> Double { exp(-0.5 * x * x) / sqrt(2 * .pi) }
  static func bell(_ x: Tensor) -> Tensor { exp(-0.5 * x * x) / sqrt(2 * .pi) }
}

extension Measure: CustomStringConvertible {
  var description: String {
    "norm \(String(format: "%.1f", norm)), floor \(floor(norm)), max \(max(norm, 1))"
  }
}

/// A user's generic code over Foundation's numbers.
private func clamped<T: BinaryFloatingPoint>(_ x: T, _ limit: T) -> T { min(max(x, -limit), abs(limit)) }

@Suite struct ExtensionTests {
  @Test func insideAType() {
    let measure = Measure(values: [3, 4])
    #expect(measure.norm == 5 && abs(measure.logSumExp() - log(exp(3) + exp(4))) < 1e-12)
    #expect(abs(measure.singles - 2) < 1e-6 && measure.graphics == 2)
    #expect(measure.tensor.shape == [2] && measure.description == "norm 5.0, floor 5.0, max 5.0")
    #expect(abs(Measure.bell(Tensor([1.0], dtype: .float64)).item - Measure.bell(1)) < 1e-12)
    #expect(clamped(Float(3), 2) == 2 && clamped(-3.0, 2) == -2 && clamped(CGFloat(1), 2) == 1)
  }

  /// A layer of one's own, as the articles show it, in a file that imports Foundation too.
  @Test func insideALayer() throws {
    let rate = log(2.0)
    let layer = Elementwise("Doubling") { x in
      exp(rate) * x
    } inverse: { y in
      y * exp(-abs(rate))
    } logSlope: { x in
      max(rate, 0) + 0 * tanh(x)
    }
    let (params, forward, _) = try layer(Key(0), inputDim: 2)
    #expect(isClose(try forward(params, Tensor([[1, 2]])).outputs, Tensor([[2, 4]]), 1e-6))
  }
}
