extension PLUProduct: RowRule {
  // Of W̄ = h dᵀ the factors have two parts: below the diagonal h′ (U d)ᵀ, where h′ is h in the order of the
  // rows of L, and above it (PL)ᵀh dᵀ. On the diagonal, of which f is the logarithm, U is a factor too.
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    if g.mask != nil { return nil }
    let (lower, upper) = (outputs[2], outputs[3])
    let ordered = g.left.gathered(inputs[2].inversePermutation, axis: 2)
    let parts = [
      RowProducts(
        left: ordered, right: matmul(g.right, upper, transposeB: true),
        mask: TriangleMask(diagonal: nil)),
      RowProducts(
        left: matmul(g.left, lower), right: g.right, mask: TriangleMask(diagonal: upper.diagonal())),
    ]
    return [.parts(parts), nil, nil]
  }
}

/// Ones below the diagonal, or above it with other numbers on it.
struct TriangleMask: RowMask {
  /// The numbers on the diagonal of an upper triangle; nil for the triangle strictly below.
  let diagonal: Tensor?

  func isSame(as other: any RowMask) -> Bool {
    guard let other = other as? TriangleMask else { return false }
    guard let diagonal, let theirs = other.diagonal else { return diagonal == nil && other.diagonal == nil }
    return diagonal.isIdentical(to: theirs)
  }

  func isApart(from other: any RowMask) -> Bool {
    (other as? TriangleMask).map { ($0.diagonal == nil) != (diagonal == nil) } ?? false
  }

  // Running sums: Σ over i > k of h[i] below the diagonal, over i ≤ k above it.
  func squares(_ h: Tensor) -> Tensor {
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

  func product(_ h: Tensor, _ d: Tensor) -> Tensor { masked(matmul(h, d, transposeA: true)) }

  func entries(_ ins: Int, _ outs: Int, _ dtype: DType) -> Tensor {
    masked(.ones([ins, outs], dtype: dtype))
  }

  private func masked(_ matrix: Tensor) -> Tensor {
    guard let diagonal else { return matrix.triangle(.strictlyLower) }
    return matrix.triangle(.strictlyUpper) + (matrix.diagonal() * diagonal).diagonalMatrix()
  }
}
