extension PLUProduct: RowRule {
  // Of W̄ = h dᵀ the factors have two parts: below the diagonal h′ (U d)ᵀ, where h′ is h in the order of the
  // rows of L, and above it (PL)ᵀh dᵀ. On the diagonal, of which f is the logarithm, U is a factor too.
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    if g.mask != nil { return nil }
    let (lower, upper) = (outputs[2], outputs[3])
    let parts = [
      g.replacing(
        right: matmul(g.right, upper, transposeB: true), mask: TriangleMask(diagonal: nil, order: inputs[2])),
      g.replacing(left: matmul(g.left, lower), mask: TriangleMask(diagonal: upper.diagonal(), order: nil)),
    ]
    return [.parts(parts), nil, nil]
  }
}

/// Ones below the diagonal, or above it with other numbers on it.
struct TriangleMask: RowMask {
  /// The numbers on the diagonal of an upper triangle; nil for the triangle strictly below.
  let diagonal: Tensor?
  /// The row of the triangle that each number of a left factor belongs to; nil for its own place.
  let order: Tensor?

  func placed(_ left: Tensor) -> Tensor {
    order.map { left.gathered($0.inversePermutation, axis: 1) } ?? left
  }

  func isSame(as other: any RowMask) -> Bool {
    guard let other = other as? TriangleMask else { return false }
    func areSame(_ a: Tensor?, _ b: Tensor?) -> Bool {
      guard let a, let b else { return a == nil && b == nil }
      return a.isIdentical(to: b)
    }
    return areSame(diagonal, other.diagonal) && areSame(order, other.order)
  }

  func isApart(from other: any RowMask) -> Bool {
    (other as? TriangleMask).map { ($0.diagonal == nil) != (diagonal == nil) } ?? false
  }

  // Running sums: Σ over i > k of h[i] below the diagonal, over i ≤ k above it.
  func squares(_ h: Tensor) -> Tensor {
    let h = placed(h)
    guard let diagonal else {
      // The sum from each place on, one place to the left.
      let sums = CumulativeSum(isReversed: true)(h)
      return concatenate(sums.sliced(axis: 1, 1..<h.shape[1]), .zeros([h.rows, 1], dtype: h.dtype), axis: 1)
    }
    let before = concatenate(
      .zeros([h.rows, 1], dtype: h.dtype), h.cumulativeSum(axis: 1).sliced(axis: 1, 0..<h.shape[1] - 1),
      axis: 1)
    return before + h * square(diagonal)
  }

  func product(_ h: Tensor, _ d: Tensor) -> Tensor { masked(matmul(placed(h), d, transposeA: true)) }

  func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor {
    masked(.ones([ins, outs], dtype: dtype))
  }

  private func masked(_ matrix: Tensor) -> Tensor {
    guard let diagonal else { return matrix.triangle(.strictlyLower) }
    return matrix.triangle(.strictlyUpper) + (matrix.diagonal() * diagonal).diagonalMatrix()
  }
}
