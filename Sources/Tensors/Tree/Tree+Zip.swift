extension Tree {
  /// Combines this tree's learned leaves with a tree of the structure of `learned`; frozen leaves are kept.
  ///
  /// Throws `FlowError.structure` with both trees when the structures differ.
  public func zipLearned<Other>(
    with other: Tree<Other>, who: String = "zip", _ combine: (Leaf, Other) throws -> Leaf
  ) throws -> Tree {
    guard let result = try zippedLearned(with: other, combine) else {
      throw FlowError.structure(who: who, expected: learned.outline, got: other.outline)
    }
    return result
  }

  private func zippedLearned<Other>(
    with other: Tree<Other>, _ combine: (Leaf, Other) throws -> Leaf
  ) rethrows -> Tree? {
    switch (self, other) {
    case (.leaf(let a), .leaf(let b)): return .leaf(try combine(a, b))
    case (.frozen, .branch(let children)): return children.isEmpty ? self : nil
    case (.branch(let children), .branch(let others)):
      var remaining = others[...]
      var result: [Child] = []
      for child in children {
        if case .frozen = child.tree {
          result.append(child)
          continue
        }
        guard let next = remaining.popFirst(), next.label == child.label,
          let tree = try child.tree.zippedLearned(with: next.tree, combine)
        else { return nil }
        result.append(Child(child.label, tree))
      }
      return remaining.isEmpty ? .branch(result) : nil
    default: return nil
    }
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
