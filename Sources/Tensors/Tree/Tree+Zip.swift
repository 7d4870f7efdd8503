extension Tree {
  /// Combines this tree's learned leaves with a tree of the structure of `learned`; frozen leaves are kept.
  ///
  /// Throws `FlowError.structure` with both trees when the structures differ.
  public func zipLearned<Other>(
    with other: Tree<Other>, who: String = "zip", _ combine: (Leaf, Other) throws -> Leaf
  ) throws -> Tree {
    var combined = try learned.zip(with: other, who: who, combine).leaves[...]
    return mapLearned { _ in combined.removeFirst() }
  }

  /// Combines two trees of equal structure leaf by leaf.
  ///
  /// Throws `FlowError.structure` with both trees when the structures differ.
  public func zip<Other, Result>(
    with other: Tree<Other>, who: String = "zip", _ combine: (Leaf, Other) throws -> Result
  ) throws -> Tree<Result> {
    guard let result = try zipped(with: other, combine) else {
      throw FlowError.structure(who: who, expected: outline, got: other.outline)
    }
    return result
  }

  private func zipped<Other, Result>(
    with other: Tree<Other>, _ combine: (Leaf, Other) throws -> Result
  ) rethrows -> Tree<Result>? {
    switch (self, other) {
    case (.leaf(let a), .leaf(let b)): return .leaf(try combine(a, b))
    case (.frozen(let a), .frozen(let b)): return .frozen(try combine(a, b))
    case (.branch(let children), .branch(let others)):
      guard children.count == others.count else { return nil }
      var result: [Tree<Result>.Child] = []
      for (child, other) in Swift.zip(children, others) {
        guard child.label == other.label, let tree = try child.tree.zipped(with: other.tree, combine) else {
          return nil
        }
        result.append(.init(child.label, tree))
      }
      return .branch(result)
    default: return nil
    }
  }
}
