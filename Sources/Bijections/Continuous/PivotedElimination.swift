import Tensors

/// Gauss-Jordan elimination of the matrices of all rows at once, with partial pivoting.
///
/// Pivots are chosen by values. All else is tensor operations, so derivatives of every order follow. The cost
/// is O(n³) per row.
struct PivotedElimination {
  /// log|det| of each matrix, [rows].
  let logAbsDeterminants: Tensor
  /// The solutions, [rows, n], if there are right-hand sides.
  let solutions: Tensor?

  /// Eliminates in matrices [rows, n, n] with right-hand sides [rows, n].
  init(of matrices: Tensor, with sides: Tensor? = nil) {
    let (rows, n) = (matrices.rows, matrices.shape[1])
    var table = sides.map { concatenate([matrices, $0.expanded(axis: 2)], axis: 2) } ?? matrices
    var logDet: Tensor?
    for k in 0..<n {
      table = Self.pivoted(table, k)
      let (row, column) = (table.sliced(axis: 1, k..<k + 1), table.sliced(axis: 2, k..<k + 1))
      let pivot = row.sliced(axis: 2, k..<k + 1)
      logDet = sum(logDet, log(abs(pivot)).reshaped(to: [rows]))
      // Row k is divided by the pivot p: it loses (p − 1) times row k / p.
      let unit = Tensor((0..<n).map { $0 == k ? 1 : 0 }, shape: [1, n, 1], dtype: table.dtype)
      table = table - (column - unit) * (row / pivot)
    }
    logAbsDeterminants = logDet ?? .zeros([rows], dtype: matrices.dtype)
    solutions = sides.map { _ in table.sliced(axis: 2, n..<n + 1).reshaped(to: [rows, n]) }
  }

  /// Exchanges row k of each matrix with the one below that has the largest number in column k.
  private static func pivoted(_ table: Tensor, _ k: Int) -> Tensor {
    let (rows, n, width) = (table.rows, table.shape[1], table.shape[2])
    if k == n - 1 { return table }
    let numbers = abs(table.detached.sliced(axis: 2, k..<k + 1)).doubles
    var order = Array(0..<rows * n)
    for row in 0..<rows {
      let own = row * n + k..<(row + 1) * n
      let best = own.reduce(own.lowerBound) { numbers[$1] > numbers[$0] ? $1 : $0 }
      order.swapAt(own.lowerBound, best)
    }
    return table.reshaped(to: [rows * n, width]).rows(order).reshaped(to: table.shape)
  }
}
