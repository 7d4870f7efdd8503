import Randomness
import Tensors
import Testing

/// Any chunk of a draw has the bits that it has in the whole draw.
@Suite struct ChunkTests {
  typealias Draw = @Sendable (Shape, DType, Int) -> Tensor

  static let key = Key(77)
  static let draws: [(name: String, draw: Draw)] = [
    ("uniform", { key.uniform($0, dtype: $1, from: $2) }),
    ("uniform on an interval", { key.uniform($0, in: -2.5..<7.3, dtype: $1, from: $2) }),
    ("normal", { key.normal($0, dtype: $1, from: $2) }),
    ("truncated normal", { key.truncatedNormal($0, in: -1..<2, dtype: $1, from: $2) }),
    ("truncated normal, tail", { key.truncatedNormal($0, in: 1..<5, dtype: $1, from: $2) }),
    ("gumbel", { key.gumbel($0, dtype: $1, from: $2) }),
    ("exponential", { key.exponential($0, dtype: $1, from: $2) }),
    ("laplace", { key.laplace($0, dtype: $1, from: $2) }),
    ("logistic", { key.logistic($0, dtype: $1, from: $2) }),
    ("cauchy", { key.cauchy($0, dtype: $1, from: $2) }),
    ("bernoulli", { key.bernoulli($0, probability: 0.3, dtype: $1, from: $2) }),
    ("integers", { shape, _, first in key.integers(shape, in: -5..<1_000, from: first) }),
  ]

  @Test(arguments: draws.indices, [DType.float32, .float64])
  func chunksEqualTheWhole(index: Int, dtype: DType) {
    let (name, draw) = Self.draws[index]
    // 2,401 rows of three cross the block of 1,024 elements at every phase.
    let (rows, width) = (2_401, 3)
    let whole = draw([rows, width], dtype, 0)
    for range in [0..<1, 0..<700, 700..<701, 341..<342, 701..<2_401, 1_000..<1_000, 5..<2_399] {
      let chunk = draw([range.count, width], dtype, range.lowerBound * width)
      #expect(chunk.isIdentical(to: whole[range]), "\(name) \(range)")
    }
  }

  @Test func categorical() {
    let logits = Self.key.folded(in: 0).normal([4, 3])
    let whole = Self.key.folded(in: 1).categorical(logits: logits, count: 500)
    let chunk = Self.key.folded(in: 1).categorical(logits: logits, count: 200, from: 123)
    #expect(chunk.isIdentical(to: whole[123..<323]))
  }

  @Test func bits() {
    #expect(Self.key.bits(3_000)[1_234...].elementsEqual(Self.key.bits(1_766, from: 1_234)))
    #expect(Self.key.bits64(3_000)[1_234...].elementsEqual(Self.key.bits64(1_766, from: 1_234)))
  }

  /// The shape is only how the elements are laid out.
  @Test func shapeDoesNotMatter() {
    #expect(Self.key.normal([6, 10]).floats == Self.key.normal([60]).floats)
    #expect(Self.key.normal([]).shape == .scalar)
    #expect(Self.key.normal([0, 7]).count == 0)
  }
}
