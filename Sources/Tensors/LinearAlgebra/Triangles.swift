/// A triangle of a matrix.
public enum Triangle: Sendable, Hashable {
  /// The entries on and below the diagonal.
  case lower
  /// The entries on and above the diagonal.
  case upper
  /// The entries below the diagonal.
  case strictlyLower
  /// The entries above the diagonal.
  case strictlyUpper

  /// A matrix with ones in the triangle and zeros elsewhere.
  public func mask(_ rows: Int, _ columns: Int, dtype: DType) -> Tensor {
    .mask([rows, columns], dtype: dtype) { i in
      switch self {
      case .lower: 0..<min(i + 1, columns)
      case .upper: min(i, columns)..<columns
      case .strictlyLower: 0..<min(i, columns)
      case .strictlyUpper: min(i + 1, columns)..<columns
      }
    }
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

  /// The matrix with its diagonal replaced.
  ///
  /// - Precondition: a square matrix, and a vector as long.
  public func withDiagonal(_ diagonal: Tensor) -> Tensor {
    require(
      rank == 2 && shape == [diagonal.count, diagonal.count] && diagonal.rank == 1,
      "withDiagonal of \(shape) and \(diagonal.shape)")
    return select(where: .identity(diagonal.count, dtype: dtype), diagonal.broadcast(to: shape), self)
  }
}
