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

extension RowSource {
  /// Calls the body with some of the rows in pieces of at most four million numbers, and the indices of each
  /// piece.
  func forEachPiece(of indices: [Int], _ body: (Tensor, ArraySlice<Int>) throws -> Void) throws {
    let size = max(1, (1 << 22) / max(shape.sample.count, 1))
    for start in stride(from: 0, to: indices.count, by: size) {
      let piece = indices[start..<min(start + size, indices.count)]
      try body(rows(Array(piece)), piece)
    }
  }

  /// Throws `FlowError.notFinite` with the index of the first of some rows that holds NaN or infinity.
  func checkFinite(_ indices: [Int], who: String, what: String) throws {
    try forEachPiece(of: indices) { piece, indices in
      if let position = piece.firstNonFinite {
        let row = position / max(shape.sample.count, 1)
        throw FlowError.notFinite(who: who, what: what, row: indices[indices.startIndex + row])
      }
    }
  }
}
