import TestSupport
import Testing

@testable import Tensors

/// What shards share is found once and pulled back once, and changes no gradient.
@Suite struct SharedValuesTests {
  private let size = 5
  private var point: Params {
    [
      "a": .leaf(wave([size, size], dtype: .float64) / 5),
      "b": .leaf(2 * wave([size, size], dtype: .float64) / 5),
    ]
  }
  private let rows = wave([300, 5], dtype: .float64)

  /// A loss a row in which factors stand once, twice in the same way, twice in different ways, and beside
  /// their product.
  private func loss(_ params: Params, _ rows: Tensor, order: [Int]) -> Tensor {
    func weight(_ factors: Tensor, _ order: [Int]) -> (weight: Tensor, logDet: Tensor) {
      pluProduct(factors: factors, sign: .ones([size], dtype: .float64), order: Tensor(ints: order))
    }
    let (a, b) = (weight(params["a"], [1, 2, 3, 4, 0]), weight(params["b"], order))
    let again = weight(params["a"], [1, 2, 3, 4, 0])
    let turned = weight(params["a"], [4, 3, 2, 1, 0])
    let y = matmul(tanh(matmul(tanh(matmul(rows, a.weight)), b.weight)), again.weight + turned.weight)
    return square(matmul(y, params["a"])).sumPerRow() + a.logDet - 2 * b.logDet
  }

  @Test(arguments: [1, 2, 8]) func gradientsAreTheWholesGradients(_ threads: Int) throws {
    let whole = valueAndGradient(at: point) { loss($0, rows, order: [0, 1, 2, 3, 4]).mean() }
    let sharded = try Parallelism.$threads.withValue(threads) {
      try valueAndGradient(at: point, over: rows) { loss($0, $1, order: [0, 1, 2, 3, 4]) }
    }
    #expect(isClose(sharded.value, whole.value, 1e-13))
    for (a, b) in zip(sharded.gradient.leaves, whole.gradient.leaves) { #expect(isClose(a, b, 1e-12)) }
  }

  /// Shards with constants of their own beside the same parameters have values of their own.
  @Test func otherConstantsAreNotShared() throws {
    @Sendable func order(_ rows: Range<Int>) -> [Int] {
      rows.lowerBound == 0 ? [0, 1, 2, 3, 4] : [2, 0, 1, 4, 3]
    }
    let sharded = try valueAndGradient(at: point, rows: 256) { loss($0, rows[$1], order: order($1)) }
    let whole = valueAndGradient(at: point) { params in
      let halves = [0..<128, 128..<256].map { loss(params, rows[$0], order: order($0)) }
      return concatenate(halves, axis: 0).mean()
    }
    for (a, b) in zip(sharded.gradient.leaves, whole.gradient.leaves) { #expect(isClose(a, b, 1e-12)) }
  }

  /// Pieces of a batch that is evaluated have the values of the whole.
  @Test func piecesShareValues() {
    let many = wave([1100, 5], dtype: .float64)
    let pieces = mapRows(many.rows, of: [5]) { [loss(point, many[$0], order: [0, 1, 2, 3, 4])] }[0]
    #expect(pieces.isIdentical(to: loss(point, many, order: [0, 1, 2, 3, 4])))
  }

  /// A tape that shares values is let go.
  @Test func nothingIsKept() throws {
    func peak(_ steps: Int) throws -> Int {
      try TensorMemory.peak {
        for _ in 0..<steps {
          _ = try valueAndGradient(at: point, over: rows) { loss($0, $1, order: [0, 1, 2, 3, 4]) }
        }
      }.bytes
    }
    let (once, often) = try Parallelism.$threads.withValue(1) { (try peak(1), try peak(20)) }
    #expect(often == once)
  }
}
