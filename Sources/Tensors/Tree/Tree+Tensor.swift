extension Tree where Leaf == Tensor {
  /// The number of learned numbers.
  public var learnedCount: Int { learnedLeaves.reduce(0) { $0 + $1.count } }

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
    if !agrees(with: other) { throw .structure(who: who, expected: learned.outline, got: other.outline) }
  }

  private func agrees(with other: Tree) -> Bool {
    switch self {
    case .leaf(let x):
      guard case .leaf(let y) = other else { return false }
      return x.shape == y.shape && x.dtype == y.dtype
    case .frozen:
      guard case .branch(let others) = other else { return false }
      return others.isEmpty
    case .branch(let children):
      guard case .branch(let others) = other else { return false }
      var position = 0
      for i in children.indices {
        if case .frozen = children[i].tree { continue }
        guard position < others.count, children[i].label == others[position].label,
          children[i].tree.agrees(with: others[position].tree)
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
