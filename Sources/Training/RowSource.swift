import Files
import Tensors

/// A source of rows to fit to: a tensor in memory, or a ``MappedArray`` on the disk, which may be larger than
/// memory.
public protocol RowSource: Sendable {
  /// The shape; axis 0 counts the rows.
  var shape: Shape { get }
  /// The dtype of the rows.
  var dtype: DType { get }
  /// The rows of some indices, `[indices.count] + sample`.
  func rows(_ indices: [Int]) throws(FlowError) -> Tensor
}

extension Tensor: RowSource {}
extension MappedArray: RowSource {}

/// The size of the pieces in which rows are read.
enum PieceSize {
  /// The most numbers of a piece. Tests set less.
  @TaskLocal static var numbers = 1 << 22
}

extension RowSource {
  /// Calls the body with some of the rows in pieces of at most four million numbers, and the indices of each
  /// piece.
  func forEachPiece(
    of indices: some RandomAccessCollection<Int>, _ body: (Tensor, [Int]) throws -> Void
  ) throws {
    for piece in pieces(of: indices.count) {
      let start = indices.index(indices.startIndex, offsetBy: piece.lowerBound)
      let own = Array(indices[start..<indices.index(start, offsetBy: piece.count)])
      try body(rows(own), own)
    }
  }

  /// Ranges of so many rows, with at most four million numbers each.
  func pieces(of count: Int) -> [Range<Int>] {
    let size = max(1, PieceSize.numbers / max(shape.sample.count, 1))
    return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }

  /// Throws `FlowError.notFinite` with the index of the first of some rows that holds NaN or infinity.
  func checkFinite(
    _ indices: some RandomAccessCollection<Int>, who: String, what: String
  ) throws {
    try forEachPiece(of: indices) { piece, indices in
      if let position = piece.firstNonFinite {
        let row = position / max(shape.sample.count, 1)
        throw FlowError.notFinite(who: who, what: what, row: indices[row])
      }
    }
  }
}
