/// Gradients of the rows' losses by one matrix, as sums of outer products that are never multiplied out.
///
/// That of row r is M ∘ Σₖ hᵣₖ dᵣₖᵀ. The sum runs over the uses of the matrix by the row: a network that is
/// applied R times has R terms, whose cross terms count in the norm.
package struct RowProducts: Sendable {
  /// The left factors, [rows, uses, in].
  let left: Tensor
  /// The right factors, [rows, uses, out].
  let right: Tensor
  /// The factor M of each entry; nil for ones.
  let mask: (any RowMask)?

  /// Products of factors [rows · uses, in] and [rows · uses, out].
  package init(_ left: Tensor, _ right: Tensor, rows: Int, mask: (any RowMask)? = nil) {
    let uses = left.rows / rows
    self.init(
      left: left.reshaped(to: [rows, uses, left.shape[-1]]),
      right: right.reshaped(to: [rows, uses, right.shape[-1]]), mask: mask)
  }

  init(left: Tensor, right: Tensor, mask: (any RowMask)?) {
    (self.left, self.right, self.mask) = (left, right, mask)
  }

  private var rows: Int { left.shape[0] }
  private var uses: Int { left.shape[1] }
  private var ins: Int { left.shape[2] }
  private var outs: Int { right.shape[2] }

  /// The products with those of further uses; nil where the masks differ.
  func joined(_ other: RowProducts) -> RowProducts? {
    switch (mask, other.mask) {
    case (nil, nil): break
    case (let mask?, let other?) where mask.isSame(as: other): break
    default: return nil
    }
    return RowProducts(
      left: concatenate(left, other.left, axis: 1), right: concatenate(right, other.right, axis: 1),
      mask: mask)
  }

  /// The squared norms of the gradients' columns, [rows, out].
  ///
  /// Of one use they are dₖ² Σᵢ Mᵢₖ² hᵢ². Of several they are Σ (hₖ · hₗ) dₖ dₗ over all pairs of uses.
  ///
  /// With `summed` they are summed over the columns, [rows, 1].
  func squares(summed: Bool) -> Tensor {
    if uses == 1 {
      if summed && mask == nil {
        return square(left).sum(over: 1..<3).reshaped(to: [rows, 1])
          * square(right).sum(over: 1..<3).reshaped(to: [rows, 1])
      }
      let (h, d) = (square(left).reshaped(to: [rows, ins]), square(right).reshaped(to: [rows, outs]))
      let squares = (mask?.squares(h) ?? h.sum(axis: 1, keepDims: true)) * d
      return summed ? squares.sum(axis: 1, keepDims: true) : squares
    }
    let isWide = mask == nil && uses * (ins + outs) < ins * outs
    let each = (0..<rows).map { row -> Tensor in
      let (h, d) = (left[row], right[row])
      if isWide { return (d * matmul(matmul(h, h, transposeB: true), d)).sum(axis: 0) }
      return square(product(h, d)).sum(axis: 0)
    }
    let squares = stack(each)
    return summed ? squares.sum(axis: 1, keepDims: true) : squares
  }

  /// The inner products of the gradients' columns with those of a matrix, [rows, out].
  func inner(_ matrix: Tensor) -> Tensor {
    let masked = mask.map { $0.entries(ins, outs, left.dtype) * matrix } ?? matrix
    return (matmul(left, masked) * right).sum(axis: 1)
  }

  /// Σ over rows of the gradients, with a factor for each row, or for each row and column: [rows, 1 or out].
  func sum(weightedBy factors: Tensor) -> Tensor {
    product(
      left.reshaped(to: [rows * uses, ins]),
      (right * factors.expanded(axis: 1)).reshaped(to: [rows * uses, outs]))
  }

  /// The products with zeros in the rows whose mask is 0, whatever they hold.
  func selecting(_ rows: Tensor) -> RowProducts {
    let rows = rows.reshaped(to: [self.rows, 1, 1])
    return RowProducts(
      left: select(where: rows, left, 0), right: select(where: rows, right, 0), mask: mask)
  }

  /// The gradients themselves, [rows, in, out].
  func multipliedOut() -> Tensor {
    if uses > 1 { return stack((0..<rows).map { product(left[$0], right[$0]) }) }
    let all = left.reshaped(to: [rows, ins, 1]) * right
    return mask.map { all * $0.entries(ins, outs, left.dtype) } ?? all
  }

  private func product(_ h: Tensor, _ d: Tensor) -> Tensor {
    mask?.product(h, d) ?? matmul(h, d, transposeA: true)
  }
}

/// The constant factors of a matrix' entries, such as a mask of zeros and ones.
package protocol RowMask: Sendable {
  /// Whether the other has the same factors. Never true for different ones.
  func isSame(as other: any RowMask) -> Bool
  /// Whether no entry is other than 0 in both. Never true for masks that overlap.
  func isApart(from other: any RowMask) -> Bool
  /// Σᵢ Mᵢₖ² h[., i] for each column k.
  func squares(_ h: Tensor) -> Tensor
  /// M ∘ (hᵀ d).
  func product(_ h: Tensor, _ d: Tensor) -> Tensor
  /// M.
  func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor
}

extension RowMask {
  package func isApart(from other: any RowMask) -> Bool { false }
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
