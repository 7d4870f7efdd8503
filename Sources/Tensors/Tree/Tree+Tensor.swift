extension Tree where Leaf == Tensor {
  /// The number of learned numbers.
  public var learnedCount: Int {
    switch self {
    case .leaf(let leaf): return leaf.count
    case .frozen: return 0
    case .branch(let children): return children.indices.reduce(0) { $0 + children[$1].tree.learnedCount }
    }
  }

  /// Whether a leaf stands for a value of a graph.
  var isTraced: Bool {
    switch self {
    case .leaf(let leaf), .frozen(let leaf): return leaf.isSymbolic
    case .branch(let children): return children.indices.contains { children[$0].tree.isTraced }
    }
  }

  /// The learned leaves in order.
  public var learnedLeaves: [Tensor] {
    var result: [Tensor] = []
    appendLearned(to: &result)
    return result
  }

  private func appendLearned(to leaves: inout [Tensor]) {
    switch self {
    case .leaf(let leaf): leaves.append(leaf)
    case .frozen: break
    case .branch(let children): for i in children.indices { children[i].tree.appendLearned(to: &leaves) }
    }
  }

  /// The tree with its learned leaves replaced, in order, and its frozen ones kept.
  ///
  /// - Precondition: as many leaves as there are learned ones.
  public func replacingLearned(with leaves: [Tensor]) -> Tree {
    var position = 0
    let result = mapLearned { _ in
      defer { position += 1 }
      return leaves[position]
    }
    require(position == leaves.count, "the tree has \(position) learned leaves, got \(leaves.count)")
    return result
  }

  /// Throws `FlowError.structure` with both trees unless the other tree has the structure of `learned`.
  ///
  /// Shapes and dtypes must agree too.
  public func checkLearned(against other: Tree, who: String) throws(FlowError) {
    _ = try other.leaves(learnedIn: self, who: who)
  }

  /// The leaves, which stand for the learned leaves of another tree, in order.
  ///
  /// Throws `FlowError.structure` with both trees unless this tree has the structure of the other one's
  /// `learned`, with the same shapes and dtypes.
  package func leaves(learnedIn other: Tree, who: String) throws(FlowError) -> [Tensor] {
    var leaves: [Tensor] = []
    guard other.appendLeaves(of: self, to: &leaves) else {
      throw .structure(who: who, expected: other.learned.outline, got: outline)
    }
    return leaves
  }

  /// Appends the leaves of another tree as long as it agrees with `learned`.
  private func appendLeaves(of other: Tree, to leaves: inout [Tensor]) -> Bool {
    switch self {
    case .leaf(let x):
      guard case .leaf(let y) = other, x.shape == y.shape, x.dtype == y.dtype else { return false }
      leaves.append(y)
      return true
    case .frozen:
      guard case .branch(let others) = other else { return false }
      return others.isEmpty
    case .branch(let children):
      guard case .branch(let others) = other else { return false }
      var position = 0
      for i in children.indices {
        if case .frozen = children[i].tree { continue }
        guard position < others.count, children[i].label == others[position].label,
          children[i].tree.appendLeaves(of: others[position].tree, to: &leaves)
        else { return false }
        position += 1
      }
      return position == others.count
    }
  }

  /// Whether both have the same structure and the same bits.
  public func isIdentical(to other: Tree) -> Bool {
    guard let same = try? zip(with: other, { $0.isIdentical(to: $1) }) else { return false }
    return same.leaves.allSatisfy { $0 }
  }

  /// The tree with every floating-point leaf converted to a dtype. Leaves of dtype int32 stay.
  public func cast(to dtype: DType) -> Tree { map { $0.dtype.isFloatingPoint ? $0.cast(to: dtype) : $0 } }

  /// √Σx² over all leaves, summed in the order of the leaves.
  public var norm: Double { leaves.reduce(0) { $0 + square($1.cast(to: .float64)).sum().item }.squareRoot() }

  /// A tree of the same structure with one value everywhere.
  public func filled(with value: Double) -> Tree { map { .full($0.shape, value, dtype: $0.dtype) } }
}
