import Bijections
import Tensors

/// A chart: coordinates of samples on a surface whose dimension is smaller than the number of values.
///
/// A layer from K numbers on a simplex to K − 1 reals has no square Jacobian. Its log-determinant refers to K
/// − 1 coordinates of the simplex, which a chart chooses.
public struct Chart: Sendable {
  /// The number of coordinates.
  public let dimension: Int
  /// Maps a batch of samples to its coordinates, `[rows, dimension]`.
  public let coordinates: @Sendable (_ samples: Tensor) -> Tensor
  /// Maps coordinates to samples, such that coordinates(embedding(c)) = c.
  public let embedding: @Sendable (_ coordinates: Tensor) -> Tensor

  /// Makes a chart from its two maps.
  public init(
    dimension: Int, coordinates: @escaping @Sendable (Tensor) -> Tensor,
    embedding: @escaping @Sendable (Tensor) -> Tensor
  ) {
    self.dimension = dimension
    self.coordinates = coordinates
    self.embedding = embedding
  }

  /// The chart of a simplex: of numbers with sum 1 along the last axis, all but the last.
  public static func simplex(_ shape: Shape) -> Chart {
    let size = shape[-1]
    let reduced = shape.replacing(-1, by: size - 1)
    return Chart(dimension: reduced.count) { x in
      x.sliced(axis: -1, 0..<size - 1).reshaped(to: [x.rows, reduced.count])
    } embedding: { c in
      let x = c.reshaped(to: reduced.batched(c.rows))
      return concatenate([x, 1 - x.sum(axis: -1, keepDims: true)], axis: -1)
    }
  }

  /// The chart of Cholesky factors of correlation matrices: the entries below the diagonal, row by row.
  ///
  /// Such a factor is lower triangular with a positive diagonal and rows of length 1.
  public static func correlationCholesky(_ size: Int) -> Chart {
    let triangle = StrictTriangle(size: size)
    let places = Tensor(ints: triangle.places)
    return Chart(dimension: triangle.count) { l in
      l.reshaped(to: [l.rows, size * size]).gathered(places)
    } embedding: { c in
      let lower = triangle(c)
      let diagonal = sqrt(1 - square(lower).sum(axis: -1, keepDims: true))
      return lower + diagonal * .identity(size, dtype: c.dtype)
    }
  }
}

extension Chart {
  /// The chart of symmetric matrices: the entries on and below the diagonal, row by row.
  public static func positiveDefinite(_ size: Int) -> Chart {
    let places = (0..<size).flatMap { i in (0...i).map { (i, $0) } }
    let sources = (0..<size * size).map { place in
      let (i, j) = (place / size, place % size)
      return places.firstIndex { $0 == (max(i, j), min(i, j)) }!
    }
    let (lower, all) = (Tensor(ints: places.map { $0 * size + $1 }), Tensor(ints: sources))
    return Chart(dimension: places.count) { s in
      s.reshaped(to: [s.rows, size * size]).gathered(lower)
    } embedding: { c in
      c.gathered(all).reshaped(to: [c.rows, size, size])
    }
  }

  /// A chart of the sphere in three dimensions that keeps areas: Lambert's azimuthal projection from the
  /// point opposite to (0.6, 0, 0.8).
  ///
  /// In the plane at that point, a point of height h above the centre has the distance √(2 (1 − h)).
  public static let sphere: Chart = {
    // Rows: two directions in the plane, and the pole.
    let frame = Tensor([[0.8, 0, -0.6], [0, 1, 0], [0.6, 0, 0.8]], dtype: .float64)
    return Chart(dimension: 2) { x in
      let own = matmul(x, frame.cast(to: x.dtype), transposeB: true)
      return own.sliced(axis: 1, 0..<2) * sqrt(2 / (1 + own.sliced(axis: 1, 2..<3)))
    } embedding: { c in
      let area = square(c).sum(axis: 1, keepDims: true)
      let own = concatenate([c * sqrt(1 - 0.25 * area), 1 - 0.5 * area], axis: 1)
      return matmul(own, frame.cast(to: c.dtype))
    }
  }()
}

extension Domain {
  /// The chart of a domain that is a surface; nil for other domains.
  var chart: Chart? {
    switch values {
    case .simplex: .simplex(shape)
    case .correlationCholesky: .correlationCholesky(shape[-1])
    case .positiveDefinite: .positiveDefinite(shape[-1])
    case .unitVectors where shape == [3]: .sphere
    default: nil
    }
  }
}
