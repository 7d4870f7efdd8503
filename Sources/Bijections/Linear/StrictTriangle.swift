import Tensors

/// Numbers below the diagonal of a matrix, kept as a vector so that a tree holds no number that is not read.
package struct StrictTriangle: Sendable {
  private let size: Int
  private let places: Tensor

  /// The strictly lower triangle of a matrix [size, size].
  package init(size: Int) {
    self.size = size
    // Place 0 is a zero that stands for all the rest; entry k of row i > j is at 1 + i (i − 1) / 2 + j.
    places = Tensor(
      ints: (0..<size * size).map { place in
        let (i, j) = (place / size, place % size)
        return j < i ? 1 + i * (i - 1) / 2 + j : 0
      })
  }

  /// How many numbers there are.
  package var count: Int { size * (size - 1) / 2 }

  /// The matrix with these numbers below its diagonal, row by row, and zeros elsewhere.
  package func callAsFunction(_ entries: Tensor) -> Tensor {
    let filled = concatenate([.zeros([1], dtype: entries.dtype), entries], axis: 0)
    return filled.gathered(places).reshaped(to: [size, size])
  }
}
