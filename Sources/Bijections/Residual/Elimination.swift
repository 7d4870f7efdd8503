import Tensors

/// Gaussian elimination of the matrices of all rows at once, without pivoting.
///
/// It suits matrices I + J with |J| < 1. Their symmetric part is positive definite, and so is that of each
/// remaining block. So no pivot is near 0. Plain tensor operations give derivatives of every order.
struct Elimination {
  /// Row k of each upper triangle from its diagonal on, with the right-hand side last if there is one.
  private let upper: [Tensor]

  /// Eliminates in matrices [rows, n, n] with right-hand sides [rows, n]. The cost is O(n³) per row.
  init(of matrices: Tensor, with sides: Tensor? = nil) {
    let n = matrices.shape[1]
    var rest = sides.map { concatenate([matrices, $0.expanded(axis: 2)], axis: 2) } ?? matrices
    var upper: [Tensor] = []
    for k in 0..<n {
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
}
