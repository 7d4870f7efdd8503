import Randomness
import TestSupport
import Tensors
import Testing

@testable import Networks

/// The kernels of attention and layer normalization against their compositions and finite differences.
@Suite struct AttentionTests {
  /// One token, one block of queries, and several with a rest; heads of a part of a vector and of several.
  private static let cases: [(tokens: Int, heads: Int, width: Int)] = [
    (1, 1, 2), (3, 2, 3), (5, 1, 16), (17, 2, 5), (40, 1, 20), (70, 1, 3),
  ]

  private func qkv(_ size: (tokens: Int, heads: Int, width: Int), _ dtype: DType = .float64) -> Tensor {
    2 * wave([2, size.tokens, 3 * size.heads * size.width], phase: 0.3, dtype: dtype)
  }

  @Test(arguments: cases.indices, [false, true]) func isItsComposition(_ index: Int, _ isCausal: Bool) {
    let size = Self.cases[index]
    let attention = AttentionMeans(heads: size.heads, isCausal: isCausal)
    #expect(disagreement(attention, [qkv(size)]) < 1e-13)
    for dtype in [DType.float32, .float64] {
      let input = Operands(qkv(size, dtype))
      #expect(attention.value(input)[0].isIdentical(to: attention.composed(input)[0]))
    }
  }

  @Test(arguments: [false, true]) func rules(_ isCausal: Bool) {
    let attention = AttentionMeans(heads: 2, isCausal: isCausal)
    let row = PrimitiveRow("attention", [qkv((3, 2, 2))]) { attention($0[0]) }
    #expect(row.checkTangents() == [])
    #expect(row.checkCotangents() == [])
    #expect(row.checkNesting() == [])
    #expect(row.checkSinglePrecision() == [])
  }

  /// Token by token, in memory and under forward mode: the bits of a pass over all tokens.
  @Test(arguments: cases.indices, [DType.float32, .float64]) func stepsHaveTheBitsOfAPass(
    _ index: Int, _ dtype: DType
  ) {
    let size = Self.cases[index]
    let (attention, all) = (AttentionMeans(heads: size.heads, isCausal: true), qkv(size, dtype))
    func steps(_ all: Tensor) -> Tensor {
      let cache = KeysAndValues(attention, tokens: size.tokens)
      return concatenate(
        (0..<size.tokens).map { cache.next(all.sliced(axis: 1, $0..<$0 + 1)) }, axis: 1)
    }
    let pass = attention(all)
    #expect(steps(all).isIdentical(to: pass))
    #expect(jvp(at: all, along: all, steps).value.isIdentical(to: pass))
  }

  /// Rows that fill no vector, one vector, and more; more numbers than a block of a sum.
  @Test(arguments: [1, 3, 16, 21, 1030]) func normalizationIsItsComposition(_ n: Int) {
    let inputs = [wave([2, 3, n], phase: 1), 1 + wave([n], phase: 2), wave([n], phase: 3)]
    #expect(disagreement(Standardization(), inputs) < 1e-12)
    for dtype in [DType.float32, .float64] {
      let cast = Operands(inputs.map { $0.cast(to: dtype) })
      #expect(Standardization().value(cast)[0].isIdentical(to: Standardization().composed(cast)[0]))
    }
  }

  /// A NaN or −∞ stays in its row of the batch.
  @Test(arguments: [Double.nan, -Double.infinity], [false, true]) func wrongNumbersStayInTheirRow(
    _ number: Double, _ isCausal: Bool
  ) {
    let size = Self.cases[3]
    let (attention, clean) = (AttentionMeans(heads: 2, isCausal: isCausal), qkv(size))
    var numbers = clean.doubles
    numbers[numbers.count - 1] = number
    let y = attention(Tensor(numbers, shape: clean.shape, dtype: .float64))
    #expect(y[0].isIdentical(to: attention(clean)[0]))
    #expect(y[1].firstNonFinite != nil)
  }

  @Test func normalizationChecksItsSizes() async {
    await #expect(processExitsWith: .failure) {
      let params: Params = ["gain": .leaf(.ones([4])), "bias": .leaf(.zeros([4]))]
      _ = LayerNorm.apply(params, .ones([1, 8]))
    }
  }

  @Test func rulesOfNormalization() {
    let row = PrimitiveRow("layer norm", [wave([4, 3]), 1 + wave([3], phase: 2), wave([3], phase: 3)]) {
      Standardization()($0[0], $0[1], $0[2])
    }
    #expect(row.checkTangents() == [])
    #expect(row.checkCotangents() == [])
    #expect(row.checkNesting() == [])
    #expect(row.checkSinglePrecision() == [])
  }
}
