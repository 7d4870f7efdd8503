import Bijections
import Tensors

/// Coordinates of samples that lie in a smaller space than they have numbers: what a log-determinant there refers to.
///
/// A layer from K numbers on a simplex to K − 1 reals has no square Jacobian, until one says which K − 1 numbers of the
/// simplex its volume is measured by.
public struct Chart: Sendable {
  /// The number of coordinates.
  public let dimension: Int
  /// The coordinates of a batch of samples, `[rows, dimension]`.
  public let coordinates: @Sendable (_ samples: Tensor) -> Tensor
  /// The samples at coordinates: coordinates(embedding(c)) = c.
  public let embedding: @Sendable (_ coordinates: Tensor) -> Tensor

  /// A chart from its two maps.
  public init(
    dimension: Int, coordinates: @escaping @Sendable (Tensor) -> Tensor,
    embedding: @escaping @Sendable (Tensor) -> Tensor
  ) {
    self.dimension = dimension
    self.coordinates = coordinates
    self.embedding = embedding
  }

  /// Numbers of sum 1 along the last axis: all but the last of them.
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

  /// Lower triangular matrices with a positive diagonal and rows of length 1: the entries below the diagonal, row by row.
  public static func correlationCholesky(_ size: Int) -> Chart {
    let count = size * (size - 1) / 2
    let below = Tensor(ints: (0..<size).flatMap { i in (0..<i).map { i * size + $0 } })
    let source = Tensor(
      ints: (0..<size * size).map { place in
        let (i, j) = (place / size, place % size)
        return j < i ? 1 + i * (i - 1) / 2 + j : 0
      })
    return Chart(dimension: count) { l in
      l.reshaped(to: [l.rows, size * size]).gathered(below)
    } embedding: { c in
      let filled = concatenate([.zeros([c.rows, 1], dtype: c.dtype), c], axis: 1).gathered(source)
      let lower = filled.reshaped(to: [c.rows, size, size])
      let diagonal = sqrt(1 - square(lower).sum(axis: -1, keepDims: true))
      return lower + diagonal * .identity(size, dtype: c.dtype)
    }
  }
}

extension Domain {
  /// The coordinates of samples that do not fill the space of their numbers.
  var chart: Chart? {
    switch values {
    case .simplex: .simplex(shape)
    case .correlationCholesky: .correlationCholesky(shape[-1])
    default: nil
    }
  }
}
