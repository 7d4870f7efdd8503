/// Trees of tensors as vectors, such as gradients, directions and steps of a solver.
///
/// Two trees in one operation have the same structure and the same shapes of leaves. This is a precondition.
/// Gradients and directions of the same parameters fulfil it.
extension Tree where Leaf == Tensor {
  /// The sum, leaf by leaf.
  public static func + (a: Tree, b: Tree) -> Tree { combined(a, b) { $0 + $1 } }
  /// The difference, leaf by leaf.
  public static func - (a: Tree, b: Tree) -> Tree { combined(a, b) { $0 - $1 } }
  /// Every leaf negated.
  public static prefix func - (a: Tree) -> Tree { a.map { -$0 } }
  /// Every leaf times a number.
  public static func * (a: Double, b: Tree) -> Tree { b.map { a * $0 } }
  /// Every leaf divided by a number.
  public static func / (a: Tree, b: Double) -> Tree { a.map { $0 / b } }

  /// The dot product over all numbers, in the order of the leaves.
  public func dot(_ other: Tree) -> Tensor {
    let products = Tree.combined(self, other) { ($0 * $1).sum() }.leaves
    return products.dropFirst().reduce(products.first ?? .zeros(.scalar)) { $0 + $1 }
  }

  /// The learned numbers as one vector, in the order of the leaves.
  ///
  /// - Precondition: at least one learned leaf.
  public func flattened() -> Tensor {
    let leaves = learnedLeaves
    require(!leaves.isEmpty, "a tree without learned leaves cannot be flattened")
    return concatenate(leaves.map { $0.reshaped(to: [$0.count]) }, axis: 0)
  }

  /// The tree with its learned numbers taken from a vector. This undoes `flattened`.
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
