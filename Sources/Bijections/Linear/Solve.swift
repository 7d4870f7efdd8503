import Tensors

extension Tensor {
  /// Applies a function of a matrix of columns to the rows of the last axis.
  func mappingColumns(_ solve: (_ columns: Tensor) -> Tensor) -> Tensor {
    let width = shape[-1]
    return solve(reshaped(to: [count / width, width]).transposed()).transposed().reshaped(to: shape)
  }
}

/// Computes A⁻¹ b by LU with partial pivoting; A [n, n], b [n, columns]; O(n³ + n² · columns).
func solve(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (packed, order) = lu(a)
  let below = triangularSolve(packed, b.gathered(order, axis: 0), lower: true, unit: true)
  return triangularSolve(packed, below, lower: false)
}
