/// An immutable tree of labelled branches. Parameters, gradients, moments and masks are trees.
///
/// A frozen leaf, such as a permutation, belongs to a layer but is not learned. It has no gradient, no weight
/// decay and no optimizer state. Gradients and optimizer states have the structure of `learned`.
public enum Tree<Leaf> {
  /// A learned leaf.
  case leaf(Leaf)
  /// A leaf that training does not change.
  case frozen(Leaf)
  /// Labelled children, in order.
  case branch([Child])

  /// A child and its label.
  public struct Child {
    /// The label.
    public let label: String
    /// The child.
    public let tree: Tree
    /// A labelled child.
    public init(_ label: String, _ tree: Tree) { (self.label, self.tree) = (label, tree) }
  }
}

/// The parameters of a layer: a tree of tensors.
public typealias Params = Tree<Tensor>

extension Tree: Sendable where Leaf: Sendable {}
extension Tree.Child: Sendable where Leaf: Sendable {}

extension Tree: ExpressibleByDictionaryLiteral {
  /// Labelled children in the order written.
  public init(dictionaryLiteral children: (String, Tree)...) {
    self = .branch(children.map { Child($0.0, $0.1) })
  }
}

extension Tree {
  /// No parameters.
  public static var empty: Tree { .branch([]) }

  /// Children labelled `0`, `1`, ...
  public init(_ trees: [Tree]) {
    self = .branch(trees.enumerated().map { Child("\($0.offset)", $0.element) })
  }

  /// The children of a branch; none of a leaf.
  @inlinable public var children: [Child] {
    if case .branch(let children) = self { return children }
    return []
  }

  /// The value of a leaf, learned or frozen.
  @inlinable public var value: Leaf? {
    switch self {
    case .leaf(let value), .frozen(let value): value
    case .branch: nil
    }
  }

  /// The child under a label.
  ///
  /// - Precondition: it exists. `Mapping` compares the whole structure before the body of a layer runs.
  @inlinable public func child(_ label: String) -> Tree {
    guard case .branch(let children) = self,
      let i = children.indices.first(where: { children[$0].label == label })
    else { fatalError("no child \(label) in\n\(outline)") }
    return children[i].tree
  }

  /// The child at a position.
  ///
  /// - Precondition: it exists.
  @inlinable public func child(_ position: Int) -> Tree {
    guard case .branch(let children) = self, children.indices.contains(position) else {
      fatalError("no child at \(position) in\n\(outline)")
    }
    return children[position].tree
  }

  /// The leaf under a label.
  ///
  /// - Precondition: it exists.
  @inlinable public subscript(label: String) -> Leaf {
    guard let value = child(label).value else { fatalError("\(label) is a branch, not a leaf") }
    return value
  }

  /// The leaves in order, learned and frozen.
  public var leaves: [Leaf] {
    switch self {
    case .leaf(let leaf), .frozen(let leaf): return [leaf]
    case .branch(let children): return children.flatMap { $0.tree.leaves }
    }
  }

  /// Calls `body` with the path and the value of each leaf in order, and tells whether the leaf is frozen.
  public func forEach(_ body: (_ path: String, _ leaf: Leaf, _ isFrozen: Bool) throws -> Void) rethrows {
    func walk(_ tree: Tree, _ path: String) throws {
      switch tree {
      case .leaf(let leaf): try body(path, leaf, false)
      case .frozen(let leaf): try body(path, leaf, true)
      case .branch(let children):
        for child in children { try walk(child.tree, path.isEmpty ? child.label : "\(path)/\(child.label)") }
      }
    }
    try walk(self, "")
  }

  /// The tree with every leaf replaced.
  public func map<Other>(_ transform: (Leaf) throws -> Other) rethrows -> Tree<Other> {
    switch self {
    case .leaf(let leaf): .leaf(try transform(leaf))
    case .frozen(let leaf): .frozen(try transform(leaf))
    case .branch(let children): .branch(try children.map { .init($0.label, try $0.tree.map(transform)) })
    }
  }

  /// The tree with its learned leaves replaced and its frozen ones kept.
  public func mapLearned(_ transform: (Leaf) throws -> Leaf) rethrows -> Tree {
    switch self {
    case .leaf(let leaf): .leaf(try transform(leaf))
    case .frozen: self
    case .branch(let children):
      // By index, so that no child is retained. Threads that count references to one object wait for each
      // other.
      .branch(
        try children.indices.map { .init(children[$0].label, try children[$0].tree.mapLearned(transform)) })
    }
  }

  /// The tree without its frozen leaves. All branches stay, even empty ones.
  public var learned: Tree {
    if !hasFrozen { return self }
    guard case .branch(let children) = self else { return .empty }
    return .branch(
      children.compactMap {
        if case .frozen = $0.tree { return nil }
        return Child($0.label, $0.tree.learned)
      })
  }

  private var hasFrozen: Bool {
    switch self {
    case .leaf: false
    case .frozen: true
    case .branch(let children): children.indices.contains { children[$0].tree.hasFrozen }
    }
  }

  /// The tree with every leaf frozen.
  public var frozen: Tree {
    switch self {
    case .leaf(let leaf): .frozen(leaf)
    case .frozen: self
    case .branch(let children): .branch(children.map { Child($0.label, $0.tree.frozen) })
    }
  }

  /// One line per leaf, with its path and a description of its value. Frozen leaves are marked.
  public var outline: String {
    var lines: [String] = []
    forEach { path, leaf, isFrozen in
      let text = (leaf as? Tensor).map { "\($0.shape) \($0.dtype)" } ?? "\(leaf)"
      lines.append("  \(path.isEmpty ? "." : path): \(text)\(isFrozen ? " frozen" : "")")
    }
    return lines.isEmpty ? "  (empty)" : lines.joined(separator: "\n")
  }
}

extension Tree: CustomStringConvertible {
  /// The outline.
  public var description: String { outline }
}
