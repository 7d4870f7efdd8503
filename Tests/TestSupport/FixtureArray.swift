import Tensors

/// An array of a fixture: its shape and its numbers, row by row.
public struct FixtureArray: Decodable, Sendable {
  /// The shape.
  public let shape: [Int]
  /// The numbers.
  public let values: [Double]

  /// The array in float64.
  public var tensor: Tensor { Tensor(values, shape: Shape(shape), dtype: .float64) }
}

extension Params {
  /// The tree with all its leaves replaced by a fixture's, each learned or frozen as it was.
  public func setting(_ values: [String: FixtureArray]) throws -> Params {
    var tree = self
    for path in Set(paths).union(values.keys) {
      guard let array = values[path], let old = tree[path: path] else { throw UnmatchedPath(path: path) }
      switch old {
      case .frozen(let leaf) where leaf.dtype == .int32:
        tree = try tree.replacing(path, by: .frozen(Tensor(ints: array.values.map { Int($0) })))
      case .frozen: tree = try tree.replacing(path, by: .frozen(array.tensor))
      default: tree = try tree.replacing(path, by: .leaf(array.tensor))
      }
    }
    return tree
  }
}

/// A path that only one of a tree and its fixture has.
private struct UnmatchedPath: Error {
  let path: String
}
