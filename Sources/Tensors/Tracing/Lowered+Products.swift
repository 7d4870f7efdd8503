extension MatMul: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (a, b) = (inputs[0], inputs[1])
    let shape: Shape = [a.shape[transposesA ? 1 : 0], b.shape[transposesB ? 0 : 1]]
    return graph.product(
      a, b,
      "lhs_contracting_dimensions = [\(transposesA ? 0 : 1)], "
        + "rhs_contracting_dimensions = [\(transposesB ? 1 : 0)]", shape)
  }
}

extension BatchedMatMul: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (a, b) = (inputs[0], inputs[1])
    let shape: Shape = [a.shape[0], a.shape[transposesA ? 2 : 1], b.shape[transposesB ? 1 : 2]]
    return graph.product(
      a, b,
      "lhs_batching_dimensions = [0], rhs_batching_dimensions = [0], "
        + "lhs_contracting_dimensions = [\(transposesA ? 1 : 2)], "
        + "rhs_contracting_dimensions = [\(transposesB ? 2 : 1)]", shape)
  }
}

extension Graph {
  fileprivate func product(_ a: Tensor, _ b: Tensor, _ dimensions: String, _ shape: Shape) -> Operands {
    Operands(
      tensor(
        operation(
          "stablehlo.dot_general", [a, b].map(value),
          "dot_dimension_numbers = #stablehlo.dot<\(dimensions)>, precision_config = "
            + "[#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]",
          Kind(shape, a.dtype))))
  }
}

extension Sum: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    graph.reduced(inputs[0], over: axes, by: "stablehlo.add", from: 0)
  }
}

extension Largest: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    graph.reduced(inputs[0], over: axes, by: "stablehlo.maximum", from: -.infinity)
  }
}

extension Graph {
  /// A reduction over axes, which keep size 1.
  fileprivate func reduced(
    _ x: Tensor, over axes: Range<Int>, by name: String, from start: Double
  ) -> Operands {
    var shape = x.shape
    for axis in axes { shape[axis] = 1 }
    let body = Graph(parent: self)
    let pair = [body.argument(.scalar, x.dtype), body.argument(.scalar, x.dtype)]
    body.results = [body.operation(name, pair.map(body.value), Kind(.scalar, x.dtype))]
    let sizes = (0..<x.rank).filter { !axes.contains($0) }.map { x.shape[$0] }
    let reduced = reduction(
      [value(of: x), value(of: Tensor(start, dtype: x.dtype))], "dimensions = \(list(Array(axes)))",
      Kind(Shape(sizes), x.dtype), body, name)
    return reshaping("stablehlo.reshape", tensor(reduced), to: shape)
  }
}

extension CumulativeSum: Lowered {
  /// A product with a triangle of ones. Of more than 64 numbers, sums over 1, 2, 4, ... neighbours instead:
  /// the triangle would be a large constant.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let x = inputs[0]
    let n = x.shape[-1]
    var sums = x.reshaped(to: [x.count / max(n, 1), n])
    if n <= 64 {
      let triangle: Triangle = isReversed ? .lower : .upper
      return Operands(matmul(sums, triangle.mask(n, n, dtype: x.dtype)).reshaped(to: x.shape))
    }
    var step = 1
    while step < n {
      let zeros = Tensor.zeros([sums.shape[0], step], dtype: x.dtype)
      let shifted =
        isReversed
        ? concatenate(sums.sliced(axis: 1, step..<n), zeros, axis: 1)
        : concatenate(zeros, sums.sliced(axis: 1, 0..<n - step), axis: 1)
      (sums, step) = (sums + shifted, 2 * step)
    }
    return Operands(sums.reshaped(to: x.shape))
  }
}

extension TriangularSolve: Lowered {
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (t, b) = (inputs[0], inputs[1])
    return graph.solved(t, b, lower: isLower, unit: isUnit, transposed: isTransposed)
  }
}

extension Graph {
  fileprivate func solved(_ t: Tensor, _ b: Tensor, lower: Bool, unit: Bool, transposed: Bool) -> Operands {
    let attributes =
      "left_side = true, lower = \(lower), unit_diagonal = \(unit), "
      + "transpose_a = #stablehlo<transpose \(transposed ? "TRANSPOSE" : "NO_TRANSPOSE")>"
    return Operands(
      tensor(
        operation(
          "stablehlo.triangular_solve", [t, b].map(value), attributes, Kind(b.shape, b.dtype))))
  }
}
