import Flows
import Foundation
import Testing

/// A user's file that imports Foundation beside Flows. Each function's name has overloads in both; these
/// calls compile, and the numbers say which overload was called.
@Suite struct CallTests {
  @Test func doubles() {
    let x = 0.5
    #expect(exp(x) == Foundation.exp(x) && log(x) == Foundation.log(x) && log1p(x) == Foundation.log1p(x))
    #expect(sin(x) == Foundation.sin(x) && cos(x) == Foundation.cos(x) && tanh(x) == Foundation.tanh(x))
    #expect(expm1(x) == Foundation.expm1(x) && erf(x) == Foundation.erf(x) && atan(x) == Foundation.atan(x))
    #expect(abs(-x) == 0.5 && sqrt(0.25) == x && pow(x, 2) == 0.25 && pow(2.0, 3.0) == 8)
    #expect(floor(1.5) == 1 && round(2.6) == 3 && ceil(1.2) == 2 && min(x, 1) == x && max(x, 1) == 1)
    #expect(Double.exp(x) == exp(x))
  }

  @Test func floats() {
    let x: Float = 0.25
    let all: [Float] = [exp(x), log(x), log1p(x), expm1(x), sin(x), cos(x), atan(x), tanh(x), erf(x)]
    #expect(all.allSatisfy { $0.isFinite })
    #expect(abs(-x) == x && sqrt(x) == 0.5 && pow(x, 0.5) == 0.5 && floor(x) == 0 && round(x) == 0)
    #expect(min(x, 1) == x && max(x, 1) == 1)
  }

  @Test func graphicsNumbers() {
    let x: CGFloat = 0.25
    let all: [CGFloat] = [exp(x), log(x), log1p(x), expm1(x), sin(x), cos(x), atan(x), tanh(x), erf(x)]
    #expect(all.allSatisfy { $0.isFinite })
    #expect(abs(-x) == x && sqrt(x) == 0.5 && pow(x, 2) == 0.0625 && floor(x) == 0 && round(x) == 0)
    #expect(min(x, 1) == x && max(x, 1) == 1)
  }

  @Test func tensors() {
    let x = Tensor([0.25, 1], dtype: .float64)
    let all = [
      exp(x), log(x), log1p(x), expm1(x), sin(x), cos(x), atan(x), tanh(x), erf(x), abs(-x), floor(x),
    ]
    #expect(all.allSatisfy { $0.shape == [2] })
    #expect(sqrt(x).doubles == [0.5, 1] && pow(x, 2).doubles == [0.0625, 1] && pow(x, x).shape == [2])
    #expect(maximum(x, 0.5).doubles == [0.5, 1] && minimum(x, 0.5).doubles == [0.25, 0.5])
    #expect(x.max(axis: 0).item == 1 && x.min(axis: 0).item == 0.25)
  }

  /// A literal's type is left to the overloads, and stays the one that Foundation alone gives it.
  @Test func literals() {
    let number = exp(1.5)
    let root = sqrt(2)
    let size = abs(-3)
    let power = pow(2, 0.5)
    let (lower, upper) = (min(1, 2), max(1, 2.5))
    #expect(type(of: number) == Double.self && type(of: root) == Double.self && type(of: size) == Int.self)
    #expect(type(of: power) == Double.self && type(of: lower) == Int.self && type(of: upper) == Double.self)
  }

  @Test func decimals() {
    #expect(pow(Decimal(2), 3) == 8 && abs(Decimal(-2)) == 2 && max(Decimal(1), 2) == 2)
  }

  @Test func closures() {
    let values = [0.25, 1, 4]
    #expect(values.map { sqrt($0) } == [0.5, 1, 2])
    #expect(values.map(sqrt) == [0.5, 1, 2])
    #expect(values.map { x in abs(x - 1) }.reduce(0, max) == 3)
    #expect(values.map { min(max($0, 0.5), 2) } == [0.5, 1, 2])
    #expect(values.map { floor(log($0) / log(2)) } == [-2, 0, 2])
    #expect(values.map { exp(-pow($0 - 1, 2) / 2) }[1] == 1)
    let largest = values.lazy.map { tanh($0) + sin($0) * cos($0) }.max() ?? 0
    #expect(largest.isFinite)
    let function: (Double) -> Double = exp
    let tensorFunction: (Tensor) -> Tensor = exp
    #expect(function(0) == 1 && tensorFunction(Tensor([0])).floats == [1])
    #expect([Tensor([4]), Tensor([9])].map(sqrt).map(\.item) == [2, 3])
    #expect([Tensor([4])].map { log(exp($0)) + 0 * sin($0) }.count == 1)
  }

  /// Both kinds of number in one expression, which is as long as formulas get.
  @Test func mixtures() {
    let (mean, deviation) = (0.5, 2.0)
    let x = Tensor([0.5, 2.5], dtype: .float64)
    let density = -0.5 * pow((x - mean) / deviation, 2) - log(deviation) - 0.5 * log(2 * Double.pi)
    let number = -0.5 * pow((2.5 - mean) / deviation, 2) - log(deviation) - 0.5 * log(2 * Double.pi)
    #expect(abs(density[1].item - number) < 1e-12)
    let scaled = exp(-deviation) * tanh(x * sqrt(deviation)) + max(mean, 1) * cos(x) - floor(mean + 0.5)
    #expect(scaled.shape == [2])
  }
}

extension Double {
  fileprivate static func exp(_ x: Double) -> Double { Foundation.exp(x) }
}
