/// Which triangle of a matrix.
public enum Triangle: Sendable, Hashable {
  /// On and below the diagonal.
  case lower
  /// On and above the diagonal.
  case upper
  /// Below the diagonal.
  case strictlyLower
  /// Above the diagonal.
  case strictlyUpper

  /// 1 in the triangle and 0 elsewhere.
  public func mask(_ rows: Int, _ columns: Int, dtype: DType) -> Tensor {
    let values = (0..<rows * columns).map { position -> Double in
      let (i, j) = (position / columns, position % columns)
      let isInside =
        switch self {
        case .lower: j <= i
        case .upper: j >= i
        case .strictlyLower: j < i
        case .strictlyUpper: j > i
        }
      return isInside ? 1 : 0
    }
    return Tensor(values, shape: [rows, columns], dtype: dtype)
  }
}

extension Tensor {
  /// The matrix with zeros outside a triangle.
  ///
  /// - Precondition: a matrix.
  public func triangle(_ triangle: Triangle) -> Tensor {
    require(rank == 2, "triangle needs a matrix, got shape \(shape)")
    return select(where: triangle.mask(shape[0], shape[1], dtype: dtype), self, 0)
  }

  /// The diagonal of a matrix.
  ///
  /// - Precondition: a square matrix.
  public func diagonal() -> Tensor {
    require(rank == 2 && shape[0] == shape[1], "diagonal needs a square matrix, got shape \(shape)")
    let n = shape[0]
    return reshaped(to: [n * n]).sliced(axis: 0, 0..<n * n, step: n + 1)
  }

  /// The diagonal matrix of a vector.
  ///
  /// - Precondition: one axis.
  public func diagonalMatrix() -> Tensor {
    require(rank == 1, "diagonalMatrix needs a vector, got shape \(shape)")
    return expanded(axis: 1) * .identity(count, dtype: dtype)
  }
}
