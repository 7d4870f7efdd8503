extension MatMul: RowRule {
  // C = A op(B) with a block of rows of A for each row: B has the products of the rows of A and of Ḡ.
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    if transposesA || outputs[0].shape[0] % rows != 0 { return nil }
    let (g, a, b) = (g[0], inputs[0], inputs[1])
    return [
      wanted[0] ? .blocks(matmul(g, b, transposeB: !transposesB)) : nil,
      wanted[1]
        ? .products(transposesB ? RowProducts(g, a, rows: rows) : RowProducts(a, g, rows: rows)) : nil,
    ]
  }

  // Ā = (Σ h dᵀ) op(B)ᵀ = Σ h (op(B) d)ᵀ, and B̄ = Σ (op(A)ᵀ h) dᵀ. A transposed operand swaps the factors.
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    if g.mask != nil { return nil }
    func turned(_ left: Tensor, _ right: Tensor, _ isTransposed: Bool) -> RowCotangent {
      .products(
        isTransposed ? RowProducts(right, left, rows: g.rows) : RowProducts(left, right, rows: g.rows))
    }
    return [
      wanted[0] ? turned(g.left, matmul(g.right, inputs[1], transposeB: !transposesB), transposesA) : nil,
      wanted[1] ? turned(matmul(g.left, inputs[0], transposeB: transposesA), g.right, transposesB) : nil,
    ]
  }
}

// Pair i of the results depends on pair i of the operands alone, so blocks stay whole.
extension BatchedMatMul: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { true }
}

extension Dense: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    let g = activation.pullback(g[0], outputs[0])
    if g.shape[0] % rows != 0 { return nil }
    return [
      wanted[0] ? .blocks(matmul(g, inputs[1], transposeB: true)) : nil,
      wanted[1] ? .products(RowProducts(inputs[0], g, rows: rows)) : nil,
      wanted[2] ? .shared(g.summedUses(rows: rows)) : nil,
    ]
  }
}

extension Tensor {
  /// The sums [rows, n] of the uses of each row, for [rows · uses, n].
  package func summedUses(rows: Int) -> Tensor {
    self.rows == rows ? self : reshaped(to: [rows, self.rows / rows, shape[1]]).sum(axis: 1)
  }
}

extension ConvolutionProduct: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    guard derivative != .byWeight else { return nil }
    return byImage(g, inputs, outputs, wanted: wanted, rows: rows) { g, inputs, outputs, wanted in
      cotangent(g, inputs, outputs, wanted: wanted)
    }
  }
}

extension ConvolutionLayer: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    byImage(g, inputs, outputs, wanted: wanted, rows: rows) { g, inputs, outputs, wanted in
      cotangent(g, inputs, outputs, wanted: wanted)
    }
  }
}

/// The cotangents of a convolution: those of the images at once, those of the weights image by image.
private func byImage(
  _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int,
  _ cotangent: (Operands, Operands, Operands, Wanted) -> Operands
) -> [RowCotangent?]? {
  let (g, x, y) = (g[0], inputs[0], outputs[0])
  if x.rows != rows { return nil }
  var found = [RowCotangent?](repeating: nil, count: inputs.count)
  if wanted[0] {
    found[0] = cotangent(Operands(g), inputs, outputs, Wanted([true, false, false])).optional(0).map {
      .blocks($0)
    }
  }
  let shared = Wanted([false, wanted[1], inputs.count > 2 && wanted[2]])
  let each = (0..<rows).map { row -> Operands in
    var own = inputs
    own.set(0, to: x[row..<row + 1])
    return cotangent(Operands(g[row..<row + 1]), own, Operands(y[row..<row + 1]), shared)
  }
  for i in 1..<inputs.count where shared[i] { found[i] = .shared(stack(each.map { $0[i] })) }
  return found
}
