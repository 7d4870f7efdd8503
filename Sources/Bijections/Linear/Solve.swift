import Tensors

extension Tensor {
  /// The tensor with a matrix function applied to its last axis: every row stands as a column before it.
  func mappingColumns(_ solve: (_ columns: Tensor) -> Tensor) -> Tensor {
    let width = shape[-1]
    return solve(reshaped(to: [count / width, width]).transposed()).transposed().reshaped(to: shape)
  }
}

/// A⁻¹ b by LU with partial pivoting; A [n, n], b [n, columns]; O(n³ + n² · columns).
func solve(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (packed, order) = lu(a)
  let below = triangularSolve(packed, b.gathered(order, axis: 0), lower: true, unit: true)
  return triangularSolve(packed, below, lower: false)
}
