extension Tree {
  /// The paths of the leaves in order: `0/net/dense_1/weight`.
  public var paths: [String] {
    var result: [String] = []
    forEach { path, _, _ in result.append(path) }
    return result
  }

  /// The subtree at a path, or nil.
  public subscript(path path: String) -> Tree? {
    var tree = self
    for label in path.split(separator: "/") {
      guard case .branch(let children) = tree, let child = children.first(where: { $0.label == label }) else {
        return nil
      }
      tree = child.tree
    }
    return tree
  }

  /// The tree with the subtree at a path replaced.
  ///
  /// Throws `FlowError.structure` when there is nothing at that path.
  public func replacing(_ path: String, by tree: Tree) throws(FlowError) -> Tree {
    guard let result = replaced(path.split(separator: "/")[...], by: tree) else {
      throw .structure(who: "replacing", expected: "a tree with \(path)", got: outline)
    }
    return result
  }

  private func replaced(_ path: ArraySlice<Substring>, by tree: Tree) -> Tree? {
    guard let label = path.first else { return tree }
    guard case .branch(var children) = self, let i = children.firstIndex(where: { $0.label == label }),
      let subtree = children[i].tree.replaced(path.dropFirst(), by: tree)
    else { return nil }
    children[i] = Child(children[i].label, subtree)
    return .branch(children)
  }
}
