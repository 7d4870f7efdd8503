extension Reshape: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    graph.reshaping("stablehlo.reshape", inputs[0], to: shape)
  }
}

extension Permute: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = inputs[0]
    return graph.reshaping(
      "stablehlo.transpose", x, to: Shape(axes.map { x.shape[$0] }), "permutation = \(graph.list(axes))")
  }
}

extension Flip: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    graph.reshaping("stablehlo.reverse", inputs[0], to: inputs[0].shape, "dimensions = \(graph.list([axis]))")
  }
}

extension Broadcast: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = graph.value(of: inputs[0])
    return Operands(graph.tensor(graph.broadcast(x, inputs[0].shape, Graph.Kind(shape, inputs[0].dtype))))
  }
}

extension Slice: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let shape = inputs[0].shape
    var (starts, limits, strides) = (
      [Int](repeating: 0, count: shape.rank), shape.sizes, [Int](repeating: 1, count: shape.rank)
    )
    (starts[axis], strides[axis]) = (start, step)
    limits[axis] = count == 0 ? start : start + (count - 1) * step + 1
    return graph.reshaping(
      "stablehlo.slice", inputs[0], to: shape.replacing(axis, by: count),
      "start_indices = \(graph.list(starts)), limit_indices = \(graph.list(limits)), "
        + "strides = \(graph.list(strides))")
  }
}

extension Spread: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = inputs[0]
    let zero = graph.value(of: Tensor(0, dtype: x.dtype))
    let none = [Int](repeating: 0, count: x.rank)
    var (low, high, interior) = (none, none, none)
    low[slice.axis] = slice.start
    interior[slice.axis] = slice.step - 1
    let end = slice.count == 0 ? slice.start : slice.start + (slice.count - 1) * slice.step + 1
    high[slice.axis] = size - end
    let kind = Graph.Kind(x.shape.replacing(slice.axis, by: size), x.dtype)
    return Operands(
      graph.tensor(
        graph.operation(
          "stablehlo.pad", [graph.value(of: x), zero],
          "edge_padding_low = \(graph.list(low)), edge_padding_high = \(graph.list(high)), "
            + "interior_padding = \(graph.list(interior))", kind)))
  }
}

extension Cast: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = graph.value(of: inputs[0])
    return Operands(
      graph.tensor(graph.operation("stablehlo.convert", [x], Graph.Kind(inputs[0].shape, dtype))))
  }
}

extension Concatenate: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (a, b) = (inputs[0], inputs[1])
    let kind = Graph.Kind(a.shape.replacing(axis, by: a.shape[axis] + b.shape[axis]), a.dtype)
    return Operands(
      graph.tensor(
        graph.operation(
          "stablehlo.concatenate", [a, b].map(graph.value), "dimension = \(axis) : i64", kind)))
  }
}

extension Gather: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let shape = inputs[0].shape
    var sizes = shape.sizes
    sizes[axis] = 1
    let offsets = (0..<shape.rank).filter { $0 != axis }
    let numbers =
      "#stablehlo.gather<offset_dims = [\(offsets.map(String.init).joined(separator: ", "))], "
      + "collapsed_slice_dims = [\(axis)], start_index_map = [\(axis)], index_vector_dim = 1>"
    let kind = Graph.Kind(shape.replacing(axis, by: indices.count), inputs[0].dtype)
    return Operands(
      graph.tensor(
        graph.operation(
          "stablehlo.gather", [graph.value(of: inputs[0]), graph.value(of: indices)],
          "dimension_numbers = \(numbers), slice_sizes = \(graph.list(sizes)), indices_are_sorted = false",
          kind)))
  }
}

extension ScatterAdd: Lowered {
  /// A product with a matrix of zeros and ones, which every compiler handles well.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (x, axis) = (inputs[0], gather.axis)
    let places = Tensor((0..<size).map(Double.init), dtype: x.dtype)
    let index = graph.numbers(gather.indices, x.dtype)
    let matrix = index.expanded(axis: 1) .== places  // [picks, size]
    let moved = x.swappingAxes(axis, -1)
    return Operands(
      matmul(moved.rank == 1 ? moved.expanded(axis: 0) : moved, matrix)
        .reshaped(to: moved.shape.replacing(-1, by: size)).swappingAxes(axis, -1))
  }
}

extension Pick: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = inputs[0]
    return Operands(
      select(where: places(index, x.shape[-1]), x, 0).sum(axis: -1))
  }
}

extension Place: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (x, mask) = (inputs[0].expanded(axis: inputs[0].rank), places(pick.index, size))
    return Operands(select(where: mask, x.broadcast(to: mask.shape), 0))
  }
}

/// Ones at an index per row of an axis of some size, zeros elsewhere.
private func places(_ index: Tensor, _ size: Int) -> Tensor {
  index.expanded(axis: index.rank) .== Tensor((0..<size).map(Double.init), dtype: index.dtype)
}
