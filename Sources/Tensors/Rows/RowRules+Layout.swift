/// Rules of primitives that move elements. Blocks stay whole as long as axis 0 is left alone.

extension LinearPrimitive {
  fileprivate func blocks(
    _ isWhole: Bool, _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    isWhole ? blockwise(g, inputs, outputs, wanted: wanted) : nil
  }

  private func blockwise(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?] {
    [wanted[0] ? .blocks(adjoint(g[0], inputs[0])) : nil]
  }
}

extension Reshape: RowwisePrimitive {
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(g[0].reshaped(to: inputs[0].shape.batched(g[0].rows)))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Permute: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(axes[0] == 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    var inverse = Array(0...axes.count)
    for (to, from) in axes.enumerated() { inverse[from + 1] = to + 1 }
    return Operands(g[0].permuted(axes: inverse))
  }
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    axes == [1, 0] && g.mask == nil
      ? [.products(RowProducts(left: g.right, right: g.left, mask: nil))] : nil
  }
}

extension Flip: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(axis > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(Flip(axis: axis + 1)(g[0]))
  }
}

extension Slice: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(axis > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let slice = Slice(axis: axis + 1, start: start, count: count, step: step)
    return Operands(Spread(slice: slice, size: inputs[0].shape[axis])(g[0]))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Spread: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(slice.axis > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
}

extension Gather: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(axis > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let gather = Gather(axis: axis + 1, indices: indices)
    return Operands(ScatterAdd(gather: gather, size: inputs[0].shape[axis])(g[0]))
  }
  package func fromProducts(
    _ g: RowProducts, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> [RowCotangent?]? {
    if axis > 1 || g.mask != nil { return nil }
    let back = ScatterAdd(gather: Gather(axis: 2, indices: indices), size: inputs[0].shape[axis])
    return [
      .products(
        RowProducts(
          left: axis == 0 ? back(g.left) : g.left, right: axis == 1 ? back(g.right) : g.right, mask: nil))
    ]
  }
}

extension ScatterAdd: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(gather.axis > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
}

extension Pick: RowwisePrimitive {}
extension Place: RowwisePrimitive {}

extension CumulativeSum: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    let shape = inputs[0].shape
    return blocks(shape.rank > 1 && shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(adjoint(g[0], inputs[0]))
  }
}

extension Sum: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    blocks(axes.lowerBound > 0 && inputs[0].shape[0] % rows == 0, g, inputs, outputs, wanted: wanted)
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(g[0].broadcast(to: inputs[0].shape.batched(g[0].rows)))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Largest: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    axes.lowerBound > 0 && inputs[0].shape[0] % rows == 0
      ? [.blocks(cotangent(g, inputs, outputs, wanted: wanted)[0])] : nil
  }
}

extension Broadcast: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    g[0].operandCotangent(of: inputs[0].shape, rows: rows).map { [$0] }
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(g[0].summedByRow(to: inputs[0].shape))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Concatenate: RowRule {
  package func fromBlocks(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted, rows: Int
  ) -> [RowCotangent?]? {
    axis > 0 && outputs[0].shape[0] % rows == 0 ? blockwise(g, inputs, outputs, wanted: wanted) : nil
  }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let own = Concatenate(axis: axis + 1)
    return own.cotangent(
      g, Operands(inputs[0].expanded(axis: 0), inputs[1].expanded(axis: 0)),
      Operands(outputs[0].expanded(axis: 0)), wanted: wanted)
  }
}
