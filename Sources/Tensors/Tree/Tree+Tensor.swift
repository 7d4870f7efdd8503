extension Tree where Leaf == Tensor {
  /// The number of learned numbers.
  public var learnedCount: Int { learned.leaves.reduce(0) { $0 + $1.count } }

  /// Whether both have the same structure and the same bits.
  public func isIdentical(to other: Tree) -> Bool {
    guard let same = try? zip(with: other, { $0.isIdentical(to: $1) }) else { return false }
    return same.leaves.allSatisfy { $0 }
  }

  /// The tree with every real leaf converted to a dtype; int32 leaves stay.
  public func cast(to dtype: DType) -> Tree { map { $0.dtype.isFloatingPoint ? $0.cast(to: dtype) : $0 } }

  /// √Σx² over all leaves, in rising order of leaves.
  public var norm: Double { leaves.reduce(0) { $0 + square($1.cast(to: .float64)).sum().item }.squareRoot() }

  /// The tree of the same structure with one value everywhere.
  public func filled(with value: Double) -> Tree { map { .full($0.shape, value, dtype: $0.dtype) } }
}
