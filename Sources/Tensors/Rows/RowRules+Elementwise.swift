import CKernels

extension Tensor {
  /// The sums over the axes along which `shape` broadcasts to this shape, for each entry of axis 0.
  ///
  /// This shape is [rows] + a shape that `shape` broadcasts to, the result's is [rows] + `shape`.
  func summedByRow(to shape: Shape) -> Tensor {
    let extra = rank - 1 - shape.rank
    var result =
      extra > 0
      ? sum(over: 1..<1 + extra).reshaped(to: Shape([rows] + self.shape.sizes[(1 + extra)...])) : self
    for axis in 0..<shape.rank where shape[axis] == 1 && result.shape[axis + 1] != 1 {
      result = result.sum(axis: axis + 1, keepDims: true)
    }
    return result
  }

  /// The cotangent of an operand of an elementwise function, from that of the result before it is summed.
  ///
  /// The result has blocks. So has the operand if it has all axes and as many entries of axis 0. Nil where
  /// axis 0 does not hold whole blocks.
  func operandCotangent(of operand: Shape, rows: Int) -> RowCotangent? {
    guard rank > 0, shape[0] % rows == 0 else { return nil }
    if operand.rank == rank && operand[0] == shape[0] { return .blocks(summed(to: operand)) }
    if rank == Shape.maximumRank { return nil }
    let cut = reshaped(to: Shape([rows, shape[0] / rows] + shape.sizes[1...]))
    return .shared(cut.summedByRow(to: operand))
  }
}

extension Elementwise: RowwisePrimitive {
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(chain(g[0], inputs[0], outputs[0]))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { kernel == CK_NEGATE }
}

extension ElementwiseFormula: RowwisePrimitive {}
extension Cast: RowwisePrimitive {}

extension Pairwise: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    let (g, a, b, y) = (g[0], inputs[0], inputs[1], outputs[0])
    var found: [RowCotangent?] = [nil, nil]
    for (i, chain) in [chainA, chainB].enumerated() where wanted[i] {
      guard let chain else { continue }
      guard let cotangent = chain(g, a, b, y).operandCotangent(of: inputs[i].shape, rows: rows) else {
        return nil
      }
      found[i] = cotangent
    }
    return found
  }

  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let (g, a, b, y) = (g[0], inputs[0], inputs[1], outputs[0])
    return Operands(
      wanted[0] ? chainA?(g, a, b, y).summedByRow(to: a.shape) : nil,
      wanted[1] ? chainB?(g, a, b, y).summedByRow(to: b.shape) : nil)
  }

  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    let shape = outputs[0].shape
    func passed(_ i: Int) -> RowProducts? {
      let other = inputs[1 - i]
      if !wanted[i] || inputs[i].shape != shape { return nil }
      switch kernel {
      case CK_ADD: return g
      case CK_SUBTRACT: return i == 0 ? g : g.replacing(right: -g.right, mask: g.mask)
      case CK_MULTIPLY where g.mask == nil && other.shape == shape:
        return g.replacing(mask: MatrixMask(matrix: other))
      default: return nil
      }
    }
    var found: [RowCotangent?] = [nil, nil]
    for i in 0..<2 where wanted[i] {
      guard let own = passed(i) else { return nil }
      found[i] = .products(own)
    }
    return found
  }

  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool {
    if kernel == CK_ADD || kernel == CK_SUBTRACT { return true }
    // A single number beside it that is not followed, such as a literal.
    let isScaled = kernel == CK_MULTIPLY || kernel == CK_DIVIDE && !wanted[1]
    return isScaled && wanted[0] != wanted[1] && inputs[wanted[0] ? 1 : 0].rank == 0
  }
}

extension Select: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    var found: [RowCotangent?] = [nil, nil, nil]
    for i in 1..<3 where wanted[i] {
      guard let own = part(i, g[0], inputs).operandCotangent(of: inputs[i].shape, rows: rows) else {
        return nil
      }
      found[i] = own
    }
    return found
  }

  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    func own(_ i: Int) -> Tensor? {
      wanted[i] ? part(i, g[0], inputs).summedByRow(to: inputs[i].shape) : nil
    }
    return Operands(nil, own(1), own(2))
  }

  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    if g.mask != nil { return nil }
    let isFirst = inputs[0] .!= 0
    var found: [RowCotangent?] = [nil, nil, nil]
    for i in 1..<3 where wanted[i] {
      if inputs[i].shape != outputs[0].shape { return nil }
      let mask = MatrixMask(matrix: i == 1 ? isFirst : 1 - isFirst)
      found[i] = .products(g.replacing(mask: mask))
    }
    return found
  }

  /// The share of a branch in the result's cotangent. The mask repeats along the leading axis.
  private func part(_ i: Int, _ g: Tensor, _ inputs: Operands) -> Tensor {
    i == 1 ? select(where: inputs[0], g, 0) : select(where: inputs[0], 0, g)
  }
}
