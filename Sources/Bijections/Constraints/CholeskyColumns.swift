import Tensors

/// The Cholesky factors of the matrices of all rows at once, column by column.
///
/// Only the entries on and below the diagonal are read. All steps are tensor operations, so derivatives of
/// every order follow. The cost is O(K³) per row. A matrix that is not positive definite has a pivot that is
/// not positive.
struct CholeskyColumns {
  /// The squares of the diagonal entries, [rows, K].
  let pivots: Tensor
  /// The entries below the diagonal, column by column, [rows, K (K − 1) / 2].
  let entries: Tensor

  /// Factors matrices [rows, K, K].
  init(of matrices: Tensor) {
    let n = matrices.shape[1]
    var rest = matrices
    var (pivots, entries) = ([Tensor](), [Tensor]())
    for k in 0..<n {
      let pivot = rest.sliced(axis: 1, 0..<1).sliced(axis: 2, 0..<1)
      pivots.append(pivot.reshaped(to: [pivot.rows, 1]))
      if k == n - 1 { break }
      let column = rest.sliced(axis: 1, 1..<n - k).sliced(axis: 2, 0..<1)
      entries.append((column / sqrt(pivot)).reshaped(to: [pivot.rows, n - k - 1]))
      let inner = rest.sliced(axis: 1, 1..<n - k).sliced(axis: 2, 1..<n - k)
      rest = inner - column * column.reshaped(to: [pivot.rows, 1, n - k - 1]) / pivot
    }
    self.pivots = concatenate(pivots, axis: 1)
    self.entries =
      entries.isEmpty
      ? matrices.reshaped(to: [matrices.rows, n * n]).sliced(axis: 1, 0..<0)
      : concatenate(entries, axis: 1)
  }
}
