import CKernels
import Tensors
import TestSupport
import Testing

@testable import Networks

/// The products of masked layers, and the units that they compute one after the other.
@Suite struct StaircaseTests {
  /// Sizes within and beyond the blocks of products, and a last panel that is not whole.
  @Test(arguments: [(1, 1, 1), (3, 5, 7), (40, 30, 33), (130, 42, 90), (5, 300, 280), (300, 260, 20)])
  func staircase(_ rows: Int, _ inputs: Int, _ outputs: Int) throws {
    for degrees in [1, 2, 9, 1000] {
      let from = (0..<inputs).map { Double($0 * degrees / inputs) }
      let to = (0..<outputs).map { Double($0 * degrees / outputs) }
      let staircase = try #require(Staircase(from: from, to: to))
      let primitive = StaircaseDense(staircase: staircase, activation: CK_TANH_EPILOGUE)
      let weight = wave([inputs, outputs], dtype: .float64) / Double(inputs)
      #expect(
        disagreement(
          primitive, [wave([rows, inputs], dtype: .float64), weight, wave([outputs], dtype: .float64)])
          < 1e-13)
    }
  }

  @Test func staircaseMask() throws {
    let staircase = try #require(Staircase(from: [0, 1, 1, 3], to: [0, 2, 3]))
    #expect(
      staircase.mask(dtype: .float32).isIdentical(
        to: Tensor([[1, 1, 1], [0, 1, 1], [0, 1, 1], [0, 0, 1]])))
    // What lies below the stairs is not even read.
    let x = Tensor([[1, 1, 1, 1]])
    let weight = Tensor([[1, 2, 3], [.nan, 4, 5], [.nan, 6, 7], [.nan, .nan, 8]])
    #expect(dense(x, weight, .zeros([3]), .identity, within: staircase).doubles == [1, 12, 23])
    #expect(Staircase(from: [1, 0], to: [0, 1]) == nil)
    #expect(Staircase(from: [0, .nan], to: [0, 1]) == nil)
  }

  /// Units one group after the other have the bits of one product.
  @Test(arguments: [1, 15, 33, 130]) func units(_ rows: Int) {
    let (weight, bias) = (wave([70, 40], dtype: .float32), wave([40], dtype: .float32))
    let x = wave([rows, 70], dtype: .float32)
    var known = Units(70, rows: rows, dtype: .float32)
    known.append(x.transposed()[0..<30])
    known.append(x.transposed()[30..<70])
    #expect(known.matrix.isIdentical(to: x))
    let all = dense(x, weight, bias, .tanh)
    for outputs in [0..<1, 1..<24, 24..<40] {
      let some = known.dense(70, weight, bias, .tanh, outputs: outputs)
      #expect(some.transposed().isIdentical(to: all.sliced(axis: 1, outputs)))
    }
    #expect(
      known.dense(0, weight, bias, .identity, outputs: 3..<5)[1].isIdentical(to: .full([rows], bias[4].item)))
  }
}
