extension Tree {
  /// The tree with the leaves under some paths frozen. Training does not change frozen leaves.
  ///
  /// A pattern is a path from the root to a leaf or a branch, as in `paths`: `bijection/0` freezes the first
  /// layer. `*` stands for any characters within a label, and `**` for any number of labels:
  /// `bijection/*/net`, `**/bias`.
  ///
  /// Throws `FlowError.structure` when a pattern fits no leaf, since it is probably misspelt.
  public func freezing(_ patterns: String...) throws(FlowError) -> Tree { try freezing(patterns) }

  /// The tree with the leaves under some paths frozen.
  public func freezing(_ patterns: [String]) throws(FlowError) -> Tree {
    var result = self
    for pattern in patterns {
      let labels = pattern.split(separator: "/")
      guard paths.contains(where: { fits(labels[...], $0.split(separator: "/")[...]) }) else {
        throw .structure(who: "freezing", expected: "  a leaf under \(pattern)", got: outline)
      }
      result = result.freezingPaths { fits(labels[...], $0[...]) }
    }
    return result
  }

  /// The tree with the same leaves frozen as in another tree with the same labels. This undoes `freezing`.
  ///
  /// Throws `FlowError.structure` with both trees when the structures differ.
  public func withFrozenLeaves(of other: Tree) throws(FlowError) -> Tree {
    guard let result = flagged(as: other) else {
      throw .structure(who: "withFrozenLeaves", expected: other.outline, got: outline)
    }
    return result
  }

  private func freezingPaths(_ path: [Substring] = [], where isFrozen: ([Substring]) -> Bool) -> Tree {
    if isFrozen(path) { return frozen }
    guard case .branch(let children) = self else { return self }
    return .branch(
      children.map { Child($0.label, $0.tree.freezingPaths(path + [Substring($0.label)], where: isFrozen)) })
  }

  private func flagged(as other: Tree) -> Tree? {
    switch (self, other) {
    case (.leaf(let value), .leaf), (.frozen(let value), .leaf): return .leaf(value)
    case (.leaf(let value), .frozen), (.frozen(let value), .frozen): return .frozen(value)
    case (.branch(let children), .branch(let others)):
      guard children.map(\.label) == others.map(\.label) else { return nil }
      var result: [Child] = []
      for (child, other) in Swift.zip(children, others) {
        guard let tree = child.tree.flagged(as: other.tree) else { return nil }
        result.append(Child(child.label, tree))
      }
      return .branch(result)
    default: return nil
    }
  }
}

/// Whether a path begins with labels that a pattern describes.
private func fits(_ pattern: ArraySlice<Substring>, _ path: ArraySlice<Substring>) -> Bool {
  guard let head = pattern.first else { return true }
  if head == "**" {
    return path.indices.contains { fits(pattern.dropFirst(), path[$0...]) }
      || fits(pattern.dropFirst(), path.suffix(0))
  }
  guard let label = path.first else { return false }
  return matches(head[...], label[...]) && fits(pattern.dropFirst(), path.dropFirst())
}

/// Whether a pattern with stars describes a label.
private func matches(_ pattern: Substring, _ label: Substring) -> Bool {
  guard let head = pattern.first else { return label.isEmpty }
  if head == "*" {
    return matches(pattern.dropFirst(), label) || (!label.isEmpty && matches(pattern, label.dropFirst()))
  }
  return label.first == head && matches(pattern.dropFirst(), label.dropFirst())
}
