/// Trees of tensors as vectors: gradients, directions, steps of a solver.
///
/// - Precondition, of all that takes two trees: they have one structure and one shape a leaf. Those of a gradient and of a
///   direction do, being `learned`.
extension Tree where Leaf == Tensor {
  /// Leaf by leaf sums.
  public static func + (a: Tree, b: Tree) -> Tree { combined(a, b) { $0 + $1 } }
  /// Leaf by leaf differences.
  public static func - (a: Tree, b: Tree) -> Tree { combined(a, b) { $0 - $1 } }
  /// Every leaf negated.
  public static prefix func - (a: Tree) -> Tree { a.map { -$0 } }
  /// Every leaf times a number.
  public static func * (a: Double, b: Tree) -> Tree { b.map { a * $0 } }
  /// Every leaf divided by a number.
  public static func / (a: Tree, b: Double) -> Tree { a.map { $0 / b } }

  /// Σ of products of all numbers, leaf after leaf.
  public func dot(_ other: Tree) -> Tensor {
    let products = Tree.combined(self, other) { ($0 * $1).sum() }.leaves
    return products.dropFirst().reduce(products.first ?? .zeros(.scalar)) { $0 + $1 }
  }

  /// The learned numbers, leaf after leaf in row-major order, as one vector.
  ///
  /// - Precondition: at least one learned leaf.
  public func flattened() -> Tensor {
    let leaves = learnedLeaves
    require(!leaves.isEmpty, "a tree without learned leaves cannot be flattened")
    return concatenate(leaves.map { $0.reshaped(to: [$0.count]) }, axis: 0)
  }

  /// The tree with its learned numbers taken from a vector: undoes `flattened`.
  ///
  /// - Precondition: as many numbers as are learned.
  public func unflattened(_ vector: Tensor) -> Tree {
    require(vector.shape == [learnedCount], "expected \(learnedCount) numbers, got shape \(vector.shape)")
    var start = 0
    return replacingLearned(
      with: learnedLeaves.map { leaf in
        defer { start += leaf.count }
        return vector[start..<start + leaf.count].reshaped(to: leaf.shape)
      })
  }

  private static func combined(_ a: Tree, _ b: Tree, _ f: (Tensor, Tensor) -> Tensor) -> Tree {
    guard let result = try? a.zip(with: b, f) else {
      fatalError("trees of two structures:\n\(a.outline)\nand\n\(b.outline)")
    }
    return result
  }
}
