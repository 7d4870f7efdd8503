extension Tree where Leaf == Tensor {
  /// The number of learned numbers.
  public var learnedCount: Int { learnedLeaves.reduce(0) { $0 + $1.count } }

  /// The learned leaves in order.
  public var learnedLeaves: [Tensor] {
    var result: [Tensor] = []
    func walk(_ tree: Tree) {
      switch tree {
      case .leaf(let leaf): result.append(leaf)
      case .frozen: break
      case .branch(let children): for child in children { walk(child.tree) }
      }
    }
    walk(self)
    return result
  }

  /// The tree with its learned leaves replaced, in order, and its frozen ones kept.
  ///
  /// - Precondition: as many leaves as there are learned ones.
  public func replacingLearned(with leaves: [Tensor]) -> Tree {
    var position = 0
    func rebuilt(_ tree: Tree) -> Tree {
      switch tree {
      case .leaf:
        position += 1
        return .leaf(leaves[position - 1])
      case .frozen: return tree
      case .branch(let children): return .branch(children.map { Child($0.label, rebuilt($0.tree)) })
      }
    }
    let result = rebuilt(self)
    require(position == leaves.count, "the tree has \(position) learned leaves, got \(leaves.count)")
    return result
  }

  /// Throws `FlowError.structure`, with both trees, unless the other tree has this one's learned leaves: the same structure
  /// once frozen leaves are taken out of this one, the same shapes and dtypes.
  public func checkLearned(against other: Tree, who: String) throws(FlowError) {
    func agree(_ a: Tree, _ b: Tree) -> Bool {
      switch (a, b) {
      case (.leaf(let x), .leaf(let y)): return x.shape == y.shape && x.dtype == y.dtype
      case (.frozen, .branch(let others)): return others.isEmpty
      case (.branch(let children), .branch(let others)):
        var position = 0
        for child in children {
          if case .frozen = child.tree { continue }
          guard position < others.count, child.label == others[position].label,
            agree(child.tree, others[position].tree)
          else { return false }
          position += 1
        }
        return position == others.count
      default: return false
      }
    }
    if !agree(self, other) { throw .structure(who: who, expected: learned.outline, got: other.outline) }
  }

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
