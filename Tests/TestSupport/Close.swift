import Tensors

/// Whether two tensors agree everywhere within `tolerance · max(1, |expected|)`; NaN agrees with NaN.
public func isClose(_ a: Tensor, _ expected: Tensor, _ tolerance: Double = 1e-9) -> Bool {
  a.shape == expected.shape
    && zip(a.doubles, expected.doubles).allSatisfy { x, y in
      x == y || (x.isNaN && y.isNaN) || abs(x - y) <= tolerance * max(1, abs(y))
    }
}

/// Deterministic numbers without a generator: sin of a multiple of the index, within ±1.
public func wave(_ shape: Shape, phase: Double = 0, dtype: DType = .float64) -> Tensor {
  Tensor(
    (0..<shape.count).map { sin(Tensor(Double($0) * 1.7 + phase, dtype: .float64)).item }, shape: shape,
    dtype: dtype)
}
