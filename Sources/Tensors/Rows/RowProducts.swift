import CKernels

/// Gradients of the rows' losses by one matrix, as sums of outer products that are never multiplied out.
///
/// That of row r is M ∘ Σₖ hᵣₖ dᵣₖᵀ. The sum runs over the uses of the matrix by the row: a network that is
/// applied R times has R terms, whose cross terms count in the norm.
package struct RowProducts: Sendable {
  /// The left factors, [rows · uses, in].
  let left: Tensor
  /// The right factors, [rows · uses, out].
  let right: Tensor
  let rows: Int
  /// The factor M of each entry; nil for ones.
  let mask: (any RowMask)?

  /// Products of factors [rows · uses, in] and [rows · uses, out].
  package init(_ left: Tensor, _ right: Tensor, rows: Int, mask: (any RowMask)? = nil) {
    (self.left, self.right, self.rows, self.mask) = (left, right, rows, mask)
  }

  private var uses: Int { rows == 0 ? 1 : left.rows / rows }
  private var ins: Int { left.shape[1] }
  private var outs: Int { right.shape[1] }

  /// Other products of as many rows.
  func replacing(left: Tensor? = nil, right: Tensor? = nil, mask: (any RowMask)?) -> RowProducts {
    RowProducts(left ?? self.left, right ?? self.right, rows: rows, mask: mask)
  }

  /// A factor with one axis for the rows and one for the uses.
  private func byRow(_ factor: Tensor) -> Tensor { factor.reshaped(to: [rows, uses, factor.shape[1]]) }

  /// The products with those of further uses; nil where the masks differ.
  func joined(_ other: RowProducts) -> RowProducts? {
    switch (mask, other.mask) {
    case (nil, nil): break
    case (let mask?, let other?) where mask.isSame(as: other): break
    default: return nil
    }
    func join(_ a: Tensor, _ b: Tensor) -> Tensor {
      let both = concatenate(byRow(a), other.byRow(b), axis: 1)
      return both.reshaped(to: [rows * both.shape[1], both.shape[2]])
    }
    return RowProducts(join(left, other.left), join(right, other.right), rows: rows, mask: mask)
  }

  /// Adds the squared norms to a number for each row, by kernels where there is one use.
  ///
  /// `shift` is added to the diagonals of the gradients, if they have one.
  func addSquares(shift: Tensor? = nil, to totals: inout [Double]) {
    let (h, d, dtype) = (left.storage, right.storage, left.dtype.kernel)
    let shift = shift?.storage
    switch mask {
    case nil where uses == 1:
      ck_square_products(dtype, h.address, d.address, rows, ins, outs, &totals)
    case let triangle as TriangleMask where uses == 1:
      let (scale, order) = (triangle.diagonal?.storage, triangle.order?.storage.ints)
      withUnsafeTemporaryAllocation(byteCount: 64 * ins, alignment: 64) { scratch in
        ck_square_triangle(
          dtype, scale == nil, ins, h.address, d.address, scale?.address, shift?.address, order, rows,
          &totals,
          scratch.baseAddress)
      }
    default:
      for (i, square) in squares(summed: true).doubles.enumerated() { totals[i] += square }
    }
  }

  /// The squared norms of the gradients' columns, [rows, out].
  ///
  /// Of one use they are dₖ² Σᵢ Mᵢₖ² hᵢ². Of several they are Σ (hₖ · hₗ) dₖ dₗ over all pairs of uses.
  ///
  /// With `summed` they are summed over the columns, [rows, 1].
  func squares(summed: Bool) -> Tensor {
    if uses == 1 {
      let (h, d) = (square(left), square(right))
      let squares = (mask?.squares(h) ?? h.sum(axis: 1, keepDims: true)) * d
      return summed ? squares.sum(axis: 1, keepDims: true) : squares
    }
    let isWide = mask == nil && uses * (ins + outs) < ins * outs
    let (left, right) = (byRow(left), byRow(right))
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
    return byRow(matmul(mask?.placed(left) ?? left, masked) * right).sum(axis: 1)
  }

  /// Σ over rows of the gradients, with a factor for each row, or for each row and column: [rows, 1 or out].
  func sum(weightedBy factors: Tensor) -> Tensor {
    let scaled =
      factors.shape[1] == 1
      ? right.scaledByRow(factors) : (byRow(right) * factors.expanded(axis: 1)).reshaped(to: right.shape)
    return product(left, scaled)
  }

  /// The products with zeros in the rows whose mask is 0, whatever they hold.
  func selecting(_ rows: Tensor) -> RowProducts {
    let rows = rows.reshaped(to: [self.rows, 1, 1])
    func selected(_ factor: Tensor) -> Tensor {
      select(where: rows, byRow(factor), 0).reshaped(to: factor.shape)
    }
    return replacing(left: selected(left), right: selected(right), mask: mask)
  }

  /// The gradients themselves, [rows, in, out].
  func multipliedOut() -> Tensor {
    if uses > 1 {
      let (left, right) = (byRow(left), byRow(right))
      return stack((0..<rows).map { product(left[$0], right[$0]) })
    }
    let all = (mask?.placed(left) ?? left).reshaped(to: [rows, ins, 1]) * byRow(right)
    return mask.map { all * $0.entries(ins, outs, left.dtype) } ?? all
  }

  private func product(_ h: Tensor, _ d: Tensor) -> Tensor {
    mask?.product(h, d) ?? matmul(h, d, transposeA: true)
  }
}
