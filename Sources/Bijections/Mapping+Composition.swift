import Tensors

extension Mapping {
  /// How a mapping is made from others. Memory-saving gradients, drift reports and summaries follow it.
  indirect enum Composition: Sendable {
    /// A layer, with a faster way back than the general one where it has one.
    case layer(Reversal?)
    /// Members one after the other.
    case chain([Member])
    /// Members side by side on the last axis.
    case split([Part])
    /// A mapping behind a change of the context.
    case seeing(Member, ContextChange)
  }

  /// A mapping within another, and the address of its parameters.
  struct Member: Sendable {
    let mapping: Mapping
    let address: Address
  }

  /// A member beside others, and the ranges of the last axis that it reads and writes.
  struct Part: Sendable {
    let member: Member
    let inputs: Range<Int>
    let outputs: Range<Int>
  }

  /// A function of the composite's parameters and context.
  package typealias ContextChange =
    @Sendable (_ params: Params, _ context: Tensor?) throws(FlowError) -> Tensor?

  /// The layers in running order, each with the address of its parameters.
  package func layers(at path: [String] = []) -> [(mapping: Mapping, path: [String])] {
    func inside(_ member: Member) -> [(mapping: Mapping, path: [String])] {
      member.mapping.layers(at: path + member.address.labels)
    }
    return switch composition {
    case .layer: [(self, path)]
    case .chain(let members): members.flatMap(inside)
    case .split(let parts): parts.flatMap { inside($0.member) }
    case .seeing(let member, _): inside(member)
    }
  }
}

/// The place of a mapping's parameters in the tree of the mapping around it.
package struct Address: Sendable {
  /// Labels from the outside in; none where both have one tree.
  let labels: [String]
  /// The position of the first label in most trees, which spares a search.
  private let position: Int

  /// The address of a path (`components/0`); nil: the whole tree.
  package init(_ path: String?, position: Int = 0) {
    labels = path?.split(separator: "/").map(String.init) ?? []
    self.position = position
  }

  /// The subtree at this address.
  package func callAsFunction(_ params: Params) -> Params {
    guard let first = labels.first else { return params }
    var tree: Params
    if case .branch(let children) = params, position < children.count, children[position].label == first {
      tree = children[position].tree
    } else {
      tree = params.child(first)
    }
    if labels.count > 1 { tree = labels.dropFirst().reduce(tree) { $0.child($1) } }
    return tree
  }

  /// The tree with the subtree at this address replaced.
  func replacing(_ params: Params, by part: Params) throws(FlowError) -> Params {
    try params.replacing(labels.joined(separator: "/"), by: part)
  }

  /// The number of learned leaves before the subtree.
  func leavesBefore(in params: Params) -> Int {
    var (tree, count) = (params, 0)
    for label in labels {
      for child in tree.children.prefix(while: { $0.label != label }) {
        count += child.tree.learnedLeaves.count
      }
      tree = tree.child(label)
    }
    return count
  }
}
