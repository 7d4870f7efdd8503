extension LU: Lowered {
  /// Gaussian elimination as a loop over columns. Masks stand for the parts of the matrix.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let a = inputs[0]
    let n = a.shape[0]
    let places = Tensor((0..<n).map(Double.init), dtype: a.dtype)
    let (row, column) = (places.expanded(axis: 1), places.expanded(axis: 0))
    let state = graph.loop(n, [a, row]) { k, state in
      let (a, order) = (state[0], state[1])
      let current = (a * (column .== k)).sum(axis: 1, keepDims: true)
      // The pivot is the first of the largest numbers from the diagonal on.
      let sizes = select(where: row .>= k, abs(current), -1)
      let (isPivot, isTop) = (row .== sizes.placeOfLargest(axis: 0), row .== k)
      func swapped(_ x: Tensor) -> Tensor {
        func at(_ mask: Tensor) -> Tensor {
          select(where: mask.broadcast(to: x.shape), x, 0).sum(axis: 0, keepDims: true).broadcast(to: x.shape)
        }
        let (pivot, top) = (at(isPivot), at(isTop))
        return select(where: isTop, pivot, select(where: isPivot, top, x))
      }
      let moved = swapped(a)
      let top = select(where: isTop.broadcast(to: a.shape), moved, 0).sum(axis: 0, keepDims: true)
      let pivot = (top * (column .== k)).sum(axis: 1, keepDims: true)
      let own = (moved * (column .== k)).sum(axis: 1, keepDims: true)
      let isBelow = row .> k
      let factor = select(where: isBelow * (pivot .!= 0), own / select(where: pivot .== 0, 1, pivot), 0)
      let rest = select(where: isBelow * (column .> k), moved - factor * top, moved)
      let isFactor = isBelow * (column .== k) * (pivot .!= 0)
      return [select(where: isFactor, factor.broadcast(to: a.shape), rest), swapped(order)]
    }
    return Operands(state[0], graph.integers(state[1].reshaped(to: [n])))
  }
}

extension Tensor {
  /// The place of the first of the largest numbers along an axis, which keeps size 1. A graph can follow it.
  package func placeOfLargest(axis: Int) -> Tensor {
    let sizes = (0..<rank).map { $0 == axis ? shape[axis] : 1 }
    let places = Tensor((0..<shape[axis]).map(Double.init), shape: Shape(sizes), dtype: dtype)
    let isLargest = self .== self.max(axis: axis, keepDims: true)
    return select(where: isLargest, places.broadcast(to: shape), Double(shape[axis]))
      .min(axis: axis, keepDims: true)
  }
}

extension Graph {
  /// Whole numbers as indices.
  func integers(_ x: Tensor) -> Tensor {
    tensor(operation("stablehlo.convert", [value(of: x)], Kind(x.shape, .int32 as DType)))
  }

  /// Indices as numbers.
  func numbers(_ indices: Tensor, _ dtype: DType) -> Tensor {
    if !indices.isSymbolic { return Tensor(indices.doubles, shape: indices.shape, dtype: dtype) }
    return tensor(operation("stablehlo.convert", [value(of: indices)], Kind(indices.shape, dtype)))
  }

  /// The inverse of a permutation.
  func inversePermutation(_ order: Tensor) -> Tensor {
    let places = Tensor((0..<order.count).map(Double.init), dtype: .float32)
    let isHere = numbers(order, .float32).expanded(axis: 0) .== places.expanded(axis: 1)
    return integers((isHere * places).sum(axis: 1))
  }
}
