import Tensors

// Tensors by nothing but their definition, to compare with.

/// The element at an index of a row-major array, by nothing but its definition.
func offset(_ index: [Int], in shape: Shape) -> Int {
  zip(index, shape.sizes).reduce(0) { $0 * $1.1 + $1.0 }
}

/// Every index of a shape in row-major order.
func indices(_ shape: Shape) -> [[Int]] {
  shape.sizes.reduce([[]]) { prefixes, size in prefixes.flatMap { prefix in (0..<size).map { prefix + [$0] } }
  }
}

/// The tensor whose element at each index is `element(index)`.
func naive(_ shape: Shape, dtype: DType = .float64, _ element: ([Int]) -> Double) -> Tensor {
  Tensor(indices(shape).map(element), shape: shape, dtype: dtype)
}

extension Tensor {
  /// The elements by index; where an axis has size 1 or is missing they repeat.
  var elements: ([Int]) -> Double {
    let (values, shape) = (doubles, shape)
    return { index in
      let own = zip(index.suffix(shape.rank), shape.sizes).map { $1 == 1 ? 0 : $0 }
      return values[offset(own, in: shape)]
    }
  }
}
