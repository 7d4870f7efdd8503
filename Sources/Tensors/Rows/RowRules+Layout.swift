/// Rules of primitives that move elements. Blocks stay whole as long as axis 0 is left alone.

extension Reshape: RowwisePrimitive {
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(g[0].reshaped(to: inputs[0].shape.batched(g[0].rows)))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Permute: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axes[0] == 0 }
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
      ? [.products(RowProducts(g.right, g.left, rows: g.rows))] : nil
  }
}

extension Flip: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axis > 0 }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(Flip(axis: axis + 1)(g[0]))
  }
}

extension Slice: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axis > 0 }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let slice = Slice(axis: axis + 1, start: start, count: count, step: step)
    return Operands(Spread(slice: slice, size: inputs[0].shape[axis])(g[0]))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Spread: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { slice.axis > 0 }
}

extension Gather: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axis > 0 }
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
    let back = ScatterAdd(gather: Gather(axis: 1, indices: indices), size: inputs[0].shape[axis])
    return [
      .products(
        axis == 0 ? g.replacing(left: back(g.left), mask: nil) : g.replacing(right: back(g.right), mask: nil))
    ]
  }
}

extension ScatterAdd: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { gather.axis > 0 }
}

extension Pick: RowwisePrimitive {}
extension Place: RowwisePrimitive {}

extension CumulativeSum: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { inputs[0].rank > 1 }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(adjoint(g[0], inputs[0]))
  }
}

extension Sum: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axes.lowerBound > 0 }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    Operands(g[0].broadcast(to: inputs[0].shape.batched(g[0].rows)))
  }
  package func isLinear(_ inputs: Operands, wanted: Wanted) -> Bool { true }
}

extension Largest: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axes.lowerBound > 0 }
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

extension Concatenate: AxisPrimitive {
  package func keepsBlocks(_ inputs: Operands) -> Bool { axis > 0 }
  package func fromShared(
    _ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted
  ) -> Operands? {
    let own = Concatenate(axis: axis + 1)
    return own.cotangent(
      g, Operands(inputs[0].expanded(axis: 0), inputs[1].expanded(axis: 0)),
      Operands(outputs[0].expanded(axis: 0)), wanted: wanted)
  }
}
