import TestSupport
import Testing

@testable import Tensors

/// Fused primitives are their compositions: values, and cotangents of every input.
@Suite struct FusedTests {
  /// Rows fewer than a vector, no whole number of panels, and more numbers than the kernel takes.
  @Test(arguments: [(1, 1), (5, 2), (17, 3), (40, 17), (70, 33), (3, 260)]) func pluSolves(
    _ rows: Int, _ size: Int
  ) {
    let order = Tensor(ints: Array((1..<size).reversed()) + [0])
    let sign = Tensor((0..<size).map { $0 % 3 == 0 ? -1 : 1 }, dtype: .float64)
    let (factors, y) = (
      wave([size, size], dtype: .float64) / Double(size), wave([rows, size], dtype: .float64)
    )
    let primitive = PLUSolve(order: order)
    func solved(_ form: (Operands) -> Operands) -> [Tensor] {
      let x = form(Operands(factors, sign, y))[0]
      let weight = pluProduct(factors: factors, sign: sign, order: order).weight
      #expect(isClose(matmul(x, weight), y, 1e-12))
      func score(_ factors: Tensor, _ y: Tensor) -> Tensor {
        (wave(y.shape, dtype: .float64) * form(Operands(factors, sign, y))[0]).sum()
      }
      return [x, gradient(at: factors) { score($0, y) }, gradient(at: y) { score(factors, $0) }]
    }
    for (fused, composed) in zip(solved { apply(primitive, $0) }, solved(primitive.composed)) {
      #expect(isClose(fused, composed, 1e-12))
    }
  }

  /// A cut at an end, and parts of which one has no cotangent.
  @Test(arguments: [0, 1, 3, 4]) func cuts(_ position: Int) {
    let x = wave([3, 4], dtype: .float64)
    #expect(disagreement(Cut(axis: 1, position: position), [x]) == 0)
    for isFirst in [true, false] {
      let slope = gradient(at: x) { x in
        let parts = x.cut(axis: -1, at: position)
        return (isFirst ? parts.0 : parts.1).sum()
      }
      let columns = (0..<4).map { ($0 < position) == isFirst ? 1.0 : 0 }
      #expect(slope.doubles == columns + columns + columns)
    }
  }

  /// A derivative by the factor of a function, whose gradient has plain inputs and followed cotangents.
  @Test func followedCotangents() {
    let (x, weight, bias) = (wave([3, 2]), wave([2, 4], phase: 1), wave([4], phase: 2))
    let slopes = gradient(at: wave([3, 4], phase: 3)) { factors in
      gradient(at: x) { (dense($0, weight, bias) * factors).sum() }.sum()
    }
    #expect(isClose(slopes, matmul(Tensor.ones([3, 2], dtype: .float64), weight), 1e-12))
  }

  @Test(arguments: [1, 2, 5, 17]) func pluProducts(_ size: Int) {
    let order = Tensor(ints: Array((1..<size).reversed()) + [0])
    let sign = Tensor((0..<size).map { $0 % 3 == 0 ? -1 : 1 }, dtype: .float64)
    #expect(
      disagreement(PLUProduct(), [wave([size, size], dtype: .float64), sign, order], constants: 2)
        < 1e-13)
  }

  /// The last sizes have several blocks of a product, and a last panel that is not whole.
  @Test(arguments: [(1, 1), (3, 2), (17, 5), (40, 33), (3, 290)]) func pluMultiplies(_ rows: Int, _ size: Int)
  {
    let order = Tensor(ints: Array((1..<size).reversed()) + [0])
    let sign = Tensor((0..<size).map { $0 % 3 == 0 ? -1 : 1 }, dtype: .float64)
    let (factors, x) = (
      wave([size, size], dtype: .float64) / Double(size), wave([rows, size], dtype: .float64)
    )
    func results(_ form: (Operands) -> Operands) -> [Tensor] {
      func score(_ factors: Tensor, _ x: Tensor) -> Tensor {
        let y = form(Operands(factors, sign, x))
        return (wave(x.shape, dtype: .float64) * y[0]).sum() + 3 * y[1]
      }
      let y = form(Operands(factors, sign, x))
      return [y[0], y[1], gradient(at: factors) { score($0, x) }, gradient(at: x) { score(factors, $0) }]
    }
    let primitive = PLUMultiply(order: order)
    for (fused, composed) in zip(results { apply(primitive, $0) }, results(primitive.composed)) {
      #expect(isClose(fused, composed, 1e-12))
    }
    let (weight, logDet) = pluProduct(factors: factors, sign: sign, order: order)
    let product = pluMultiply(x, factors: factors, sign: sign, order: order)
    #expect(isClose(product.rows, matmul(x, weight), 1e-12))
    #expect(product.logDet.isIdentical(to: logDet))
    let alone = gradient(at: factors) {
      pluMultiply(x, factors: $0, sign: sign, order: order).logDet
    }
    #expect(alone.isIdentical(to: .identity(size, dtype: .float64)))
  }
}
