/// The constant factors of a matrix' entries, such as a mask of zeros and ones.
package protocol RowMask: Sendable {
  /// Whether the other has the same factors. Never true for different ones.
  func isSame(as other: any RowMask) -> Bool
  /// Whether no entry is other than 0 in both. Never true for masks that overlap.
  func isApart(from other: any RowMask) -> Bool
  /// A left factor [., in] with its numbers at the rows of M that they belong to.
  func placed(_ left: Tensor) -> Tensor
  /// Σᵢ Mᵢₖ² h[., i] for each column k.
  func squares(_ h: Tensor) -> Tensor
  /// M ∘ (hᵀ d).
  func product(_ h: Tensor, _ d: Tensor) -> Tensor
  /// M.
  func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor
}

extension RowMask {
  package func isApart(from other: any RowMask) -> Bool { false }
  package func placed(_ left: Tensor) -> Tensor { left }
}

/// The factors as a matrix.
struct MatrixMask: RowMask {
  let matrix: Tensor

  func isSame(as other: any RowMask) -> Bool {
    (other as? MatrixMask).map { $0.matrix.isIdentical(to: matrix) } ?? false
  }
  func squares(_ h: Tensor) -> Tensor { matmul(h, square(matrix)) }
  func product(_ h: Tensor, _ d: Tensor) -> Tensor { matrix * matmul(h, d, transposeA: true) }
  func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor { matrix }
}
