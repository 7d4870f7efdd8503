import Tensors

/// The strictly lower triangle of a matrix, stored as a vector of its numbers, row by row.
package struct StrictTriangle: Sendable {
  private let size: Int
  private let source: Tensor

  /// Describes the strictly lower triangle of a matrix [size, size].
  package init(size: Int) {
    self.size = size
    // Source 0 is a zero that fills all other places. Entry k of row i > j has source 1 + i (i − 1) / 2 + j.
    source = Tensor(
      ints: (0..<size * size).map { place in
        let (i, j) = (place / size, place % size)
        return j < i ? 1 + i * (i - 1) / 2 + j : 0
      })
  }

  /// The number of entries below the diagonal.
  package var count: Int { size * (size - 1) / 2 }

  /// The places of the entries in a flattened matrix.
  package var places: [Int] { (0..<size).flatMap { i in (0..<i).map { i * size + $0 } } }

  /// Makes the matrix with these entries below its diagonal and zeros elsewhere.
  ///
  /// Vectors of entries with leading axes give matrices with the same leading axes.
  package func callAsFunction(_ entries: Tensor) -> Tensor {
    let zero = Tensor.zeros(entries.shape.replacing(-1, by: 1), dtype: entries.dtype)
    let filled = concatenate([zero, entries], axis: -1).gathered(source)
    return filled.reshaped(to: Shape(entries.shape.sizes.dropLast() + [size, size]))
  }
}
