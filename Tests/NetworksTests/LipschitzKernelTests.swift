import Randomness
import TestSupport
import Tensors
import Testing

@testable import Networks

/// The kernels of Lipschitz networks have the bits of their compositions, forwards and in a reverse pass.
@Suite struct LipschitzKernelTests {
  private static let dtypes: [DType] = [.float32, .float64]

  /// A part of a vector, and several with a rest. Far numbers are in both tails of the sigmoid.
  private func lipSwish(_ size: Shape, _ dtype: DType) -> [Tensor] {
    [40 * wave(size, phase: 0.4, dtype: dtype), .full([1], 0.7, dtype: dtype)]
  }

  /// Scaled rows of one matrix for all rows, or of one each.
  private func product(_ matrices: Int, _ dtype: DType) -> [Tensor] {
    [
      wave([7, 20], phase: 0.1, dtype: dtype), wave([matrices, 3, 20], phase: 0.7, dtype: dtype),
      wave([20, 5], phase: 1.3, dtype: dtype),
    ]
  }

  @Test(arguments: [[2, 3], [5, 19], [3, 64]] as [Shape], dtypes) func lipSwishIsItsComposition(
    _ size: Shape, _ dtype: DType
  ) throws {
    #expect(hasBitsOfItsComposition(LipSwish(), lipSwish(size, dtype)))
  }

  @Test(arguments: [1, 7], dtypes) func productIsItsComposition(_ matrices: Int, _ dtype: DType) throws {
    #expect(hasBitsOfItsComposition(ScaledProduct(), product(matrices, dtype)))
  }

  @Test func rules() {
    let near = [2 * wave([3, 4], phase: 0.4), Tensor.full([1], 0.7, dtype: .float64)]
    let rows = [
      PrimitiveRow("LipSwish", near) { apply(LipSwish(), Operands($0))[0] },
      PrimitiveRow("its slope", near) { apply(LipSwish(), Operands($0))[1] },
      PrimitiveRow("ScaledProduct, shared", product(1, .float64)) { ScaledProduct()($0[0], $0[1], $0[2]) },
      PrimitiveRow("ScaledProduct", product(7, .float64)) { ScaledProduct()($0[0], $0[1], $0[2]) },
    ]
    for row in rows {
      #expect(row.checkTangents() == [])
      #expect(row.checkCotangents() == [])
      #expect(row.checkNesting() == [])
      #expect(row.checkSinglePrecision() == [])
    }
  }

  /// Power iterations in memory have the bits of the same steps by tensors. Zeros leave the vectors alone.
  @Test(arguments: [(3, 20), (20, 3), (33, 33)], dtypes) func powerIterations(
    _ size: (inputs: Int, outputs: Int), _ dtype: DType
  ) {
    let weight = Key(1).normal([size.inputs, size.outputs]).cast(to: dtype)
    var u = normalized(Key(2).normal([size.outputs]).cast(to: dtype), or: .ones([1]))
    var v = normalized(Key(3).normal([size.inputs]).cast(to: dtype), or: .ones([1]))
    let start = Operands(u, v)
    for iterations in 1...6 {
      let right = normalized(matmul(v.expanded(axis: 0), weight)[0], or: u)
      (u, v) = (right, normalized(matmul(right.expanded(axis: 0), weight, transposeB: true)[0], or: v))
      let moved = PowerIteration(Operands(weight).storage(0))(
        start.storage(0), start.storage(1), iterations: iterations)
      #expect(Tensor(moved.u).isIdentical(to: u) && Tensor(moved.v).isIdentical(to: v))
    }
    let zeros = Operands(Tensor.zeros([size.inputs, size.outputs], dtype: dtype))
    let same = PowerIteration(zeros.storage(0))(start.storage(0), start.storage(1), iterations: 3)
    #expect(Tensor(same.u).isIdentical(to: start[0]) && Tensor(same.v).isIdentical(to: start[1]))
  }
}
