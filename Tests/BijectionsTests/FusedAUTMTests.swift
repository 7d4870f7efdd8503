import Randomness
import Tensors
import TestSupport
import Testing

@testable import Bijections

/// AUTM's kernel is its composition of small primitives: values, slopes and every cotangent.
@Suite struct FusedAUTMTests {
  @Test(arguments: [(1, 1), (2, 5), (5, 16), (64, 3)]) func agreement(_ size: (units: Int, steps: Int)) {
    // More numbers than a vector, and not a whole number of them.
    let x = 3 * Key(1).normal([21], dtype: .float64)
    let field = Key(2).normal([21, 5 * size.units + 2], dtype: .float64) / Double(size.units).squareRoot()
    let map = AUTMMap(units: size.units, steps: size.steps)
    func fused(_ x: Tensor, _ field: Tensor) -> Operands { apply(map, Operands(x, field)) }
    func composed(_ x: Tensor, _ field: Tensor) -> Operands { map.composed(Operands(x, field)) }
    for i in 0..<2 { #expect(isClose(fused(x, field)[i], composed(x, field)[i], 1e-13)) }

    for (a, b) in [(1.0, 0.0), (0, 1), (1, 1)] {
      func score(_ results: Operands) -> Tensor {
        var sum = Tensor(0, dtype: .float64)
        if a > 0 { sum = sum + (wave([21]) * results[0]).sum() }
        if b > 0 { sum = sum + ((wave([21]) + 0.5) * results[1]).sum() }
        return sum
      }
      #expect(
        isClose(
          gradient(at: x) { score(fused($0, field)) }, gradient(at: x) { score(composed($0, field)) }, 1e-12))
      #expect(
        isClose(
          gradient(at: field) { score(fused(x, $0)) }, gradient(at: field) { score(composed(x, $0)) }, 1e-12))
    }
  }

  /// A lane's bits do not depend on its neighbours.
  @Test func aNumberAlone() {
    let (x, raw) = (Key(1).normal([21, 1]), Key(2).normal([21, 34]))
    let all = AUTM().forward(x, raw)
    for i in 0..<21 {
      let one = AUTM().forward(x[i..<i + 1], raw[i..<i + 1])
      #expect(one.outputs.isIdentical(to: all.outputs[i..<i + 1]))
      #expect(one.logDet.isIdentical(to: all.logDet[i..<i + 1]))
    }
  }

  /// More units or steps than the kernel holds run in small primitives.
  @Test func beyondTheKernel() {
    let x = wave([3, 1])
    for (large, small) in [
      (AUTM(units: 2, steps: 257), AUTM(units: 2, steps: 256)),
      (AUTM(units: 65), AUTM(units: 65, steps: 17, lipschitz: 16)),
    ] {
      let raw = 0.3 * wave([3, large.parameterCount])
      let (y, logDet) = large.forward(x, raw)
      #expect(isClose(y, small.forward(x, raw).outputs, 1e-4))
      #expect(isClose(logDet, small.forward(x, raw).logDet, 1e-4))
    }
  }
}
