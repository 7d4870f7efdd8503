import Tensors

/// Gaussian elimination of the matrices of all rows at once.
///
/// Pivots are chosen by values. All else is tensor operations, so derivatives of every order follow. The cost
/// is O(n³) per row.
///
/// Matrices I + J with |J| < 1 need no pivoting. Their symmetric part is positive definite, and so is that of
/// each remaining block. So no pivot is near 0.
struct Elimination {
  /// Row k of each upper triangle from its diagonal on, with the right-hand side last if there is one.
  private let upper: [Tensor]

  /// Eliminates in matrices [rows, n, n] with right-hand sides [rows, n].
  ///
  /// - Parameter pivots: whether to take the largest number of a column as its pivot.
  init(of matrices: Tensor, with sides: Tensor? = nil, pivots: Bool) {
    let n = matrices.shape[1]
    var rest = sides.map { concatenate([matrices, $0.expanded(axis: 2)], axis: 2) } ?? matrices
    var upper: [Tensor] = []
    for k in 0..<n {
      if pivots && k < n - 1 { rest = Self.pivoted(rest) }
      let top = rest.sliced(axis: 1, 0..<1)
      upper.append(top.reshaped(to: [top.rows, top.shape[2]]))
      if k == n - 1 { break }
      let (below, columns) = (rest.sliced(axis: 1, 1..<n - k), 1..<top.shape[2])
      let factor = below.sliced(axis: 2, 0..<1) / top.sliced(axis: 2, 0..<1)
      rest = below.sliced(axis: 2, columns) - factor * top.sliced(axis: 2, columns)
    }
    self.upper = upper
  }

  /// log|det| of each matrix, [rows].
  var logAbsDeterminants: Tensor {
    log(abs(concatenate(upper.map { $0.sliced(axis: 1, 0..<1) }, axis: 1))).sumPerRow()
  }

  /// The solutions [rows, n].
  var solutions: Tensor {
    var x: Tensor?
    for row in upper.reversed() {
      let last = row.shape[1] - 1
      var side = row.sliced(axis: 1, last..<last + 1)
      if let x { side = side - (row.sliced(axis: 1, 1..<last) * x).sum(axis: 1, keepDims: true) }
      let next = side / row.sliced(axis: 1, 0..<1)
      x = x.map { concatenate([next, $0], axis: 1) } ?? next
    }
    return x ?? upper[0]
  }

  /// The same exchange for a graph, which does not know the numbers.
  private static func pivotedByMasks(_ matrices: Tensor) -> Tensor {
    let n = matrices.shape[1]
    let sizes = abs(matrices.detached.sliced(axis: 2, 0..<1))
    let places = Tensor((0..<n).map(Double.init), shape: [1, n, 1], dtype: matrices.dtype)
    let isPivot = (places .== sizes.placeOfLargest(axis: 1)).broadcast(to: matrices.shape)
    let first = matrices.sliced(axis: 1, 0..<1)
    let pivot = select(where: isPivot, matrices, 0).sum(axis: 1, keepDims: true)
    let rest = select(where: isPivot, first.broadcast(to: matrices.shape), matrices).sliced(axis: 1, 1..<n)
    return concatenate([pivot, rest], axis: 1)
  }

  /// Exchanges the first row of each matrix with the one that has the largest number in column 0.
  private static func pivoted(_ matrices: Tensor) -> Tensor {
    let (rows, n, width) = (matrices.rows, matrices.shape[1], matrices.shape[2])
    if Graph.innermost([matrices.detached]) != nil { return pivotedByMasks(matrices) }
    let numbers = abs(matrices.detached.sliced(axis: 2, 0..<1)).doubles
    var order = Array(0..<rows * n)
    for first in stride(from: 0, to: rows * n, by: n) {
      let best = (first..<first + n).reduce(first) { numbers[$1] > numbers[$0] ? $1 : $0 }
      order.swapAt(first, best)
    }
    return matrices.reshaped(to: [rows * n, width]).rows(order).reshaped(to: matrices.shape)
  }
}
