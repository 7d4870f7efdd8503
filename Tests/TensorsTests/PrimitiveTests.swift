import Tensors
import TestSupport
import Testing

/// Every rule of every primitive against finite differences and against the other rules.
@Suite struct PrimitiveTests {
  /// A scalar function of input i: the primitive's result under fixed weights, squared so that second
  /// derivatives count.
  private func probe(_ row: PrimitiveRow, _ i: Int) -> @Sendable (Tensor) -> Tensor {
    { x in
      var inputs = row.inputs
      inputs[i] = x
      let y = row.function(inputs)
      return (y * wave(y.shape, phase: 5) + 0.5 * square(y)).sum()
    }
  }

  private func difference(_ f: (Tensor) -> Tensor, at x: Tensor, along v: Tensor, step: Double = 1e-6)
    -> Tensor
  {
    (f(x + step * v) - f(x - step * v)) / (2 * step)
  }

  @Test(arguments: primitiveTable) func tangentEqualsFiniteDifference(_ row: PrimitiveRow) {
    for i in row.inputs.indices {
      let (x, f) = (row.inputs[i], probe(row, i))
      let v = wave(x.shape, phase: 9)
      let (value, tangent) = jvp(at: x, along: v, f)
      #expect(value.isIdentical(to: f(x)))
      #expect(isClose(tangent, difference(f, at: x, along: v), 1e-7), "input \(i)")
    }
  }

  @Test(arguments: primitiveTable) func cotangentEqualsFiniteDifference(_ row: PrimitiveRow) {
    for i in row.inputs.indices {
      let (x, f) = (row.inputs[i], probe(row, i))
      let v = wave(x.shape, phase: 9)
      let slope = (gradient(at: x, f) * v).sum()
      #expect(isClose(slope, difference(f, at: x, along: v), 1e-7), "input \(i)")
    }
  }

  @Test(arguments: primitiveTable) func secondDerivativesNest(_ row: PrimitiveRow) {
    for i in row.inputs.indices {
      let (x, f) = (row.inputs[i], probe(row, i))
      let v = wave(x.shape, phase: 9)
      let forwardOverReverse = jvp(at: x, along: v) { gradient(at: $0, f) }.tangent
      let reverseOverForward = gradient(at: x) { jvp(at: $0, along: v, f).tangent }
      let reverseOverReverse = gradient(at: x) { (gradient(at: $0, f) * v).sum() }
      let differences = difference({ gradient(at: $0, f) }, at: x, along: v)
      #expect(isClose(forwardOverReverse, differences, 1e-6), "input \(i)")
      #expect(isClose(reverseOverForward, differences, 1e-6), "input \(i)")
      #expect(isClose(reverseOverReverse, differences, 1e-6), "input \(i)")
    }
  }

  @Test(arguments: primitiveTable) func float32EqualsFloat64(_ row: PrimitiveRow) {
    let single = row.function(row.inputs.map { $0.cast(to: .float32) })
    #expect(single.dtype == .float32)
    #expect(isClose(single.cast(to: .float64), row.function(row.inputs), 1e-5))
  }
}
