import Tensors

extension Mapping {
  /// The structure of a mapping that is made from others. Memory-saving gradients, drift reports and
  /// summaries follow it.
  indirect enum Composition: Sendable {
    /// A layer, and its own backward pass from outputs, if it has one that is faster than the general one.
    case layer(Reversal?)
    /// Members one after the other.
    case chain([Member])
    /// Members side by side on the last axis.
    case split([Part])
    /// A member that sees a changed context.
    case seeing(Member, ContextChange)

    private var members: [Mapping] {
      switch self {
      case .layer: []
      case .chain(let members): members.map(\.mapping)
      case .split(let parts): parts.map(\.member.mapping)
      case .seeing(let member, _): [member.mapping]
      }
    }

    /// Whether a layer restricts its inputs' values.
    var isBounded: Bool { members.contains(where: \.isBounded) }
    /// Whether a layer has statistics.
    var hasStatistics: Bool { members.contains { $0.statistics != nil } }
    /// Whether the statistics of a layer depend on the batch.
    var statisticsNeedRows: Bool { members.contains(where: \.statisticsNeedRows) }
    /// Whether a layer has an estimate of its log-det.
    var hasEstimate: Bool { members.contains(where: \.hasEstimate) }
    /// Whether a layer gives outputs alone at less cost.
    var hasOutputsAlone: Bool { members.contains(where: \.hasOutputsAlone) }
  }

  /// A mapping within another, and the address of its parameters.
  package typealias Member = (mapping: Mapping, address: Address)

  /// A member, and the ranges of the last axis that it reads and writes.
  typealias Part = (member: Member, inputs: Range<Int>, outputs: Range<Int>)

  /// A function of the composite's parameters, the context, and the number of rows of the batch. It may make
  /// a context where there is none.
  package typealias ContextChange =
    @Sendable (_ params: Params, _ context: Tensor?, _ rows: Int) throws(FlowError) -> Tensor?

  /// Whether the whole mapping is one that hides its context, by `NoContext`.
  package func hidesContext(_ params: Params, _ context: Tensor) -> Bool {
    guard case .seeing(_, let change) = composition else { return false }
    do { return try change(params, context, context.rows) == nil } catch { return false }
  }

  /// The inputs of the second of two members one after the other, with the checks of the first; nil for other
  /// mappings. A change of the context around them is made.
  package func valuesBeforeTheLast(
    _ params: Params, _ x: Tensor, _ context: Tensor?
  ) throws(FlowError) -> Tensor? {
    switch composition {
    case .chain(let members) where members.count == 2:
      let (mapping, address) = members[0]
      return try mapping.unchecked(address(params), x, context).outputs
    case .seeing(let (mapping, address), let change):
      return try mapping.valuesBeforeTheLast(address(params), x, change(params, context, x.rows))
    default: return nil
    }
  }

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

/// The path from a composite's parameters to those of one member.
package struct Address: Sendable, Hashable {
  /// The labels from the outside in. An empty list stands for the whole tree.
  let labels: [String]
  /// The expected position of the first label, which spares a search; without labels, of the member's own
  /// children. Members with equal addresses share their parameters.
  private let position: Int

  /// The address of a path (`components/0`); nil: the whole tree.
  package init(_ path: String?, position: Int = 0) {
    labels = path?.split(separator: "/").map(String.init) ?? []
    self.position = position
  }

  /// The subtree at this address.
  package func callAsFunction(_ params: Params) -> Params {
    guard let first = labels.first else { return params }
    var tree = params
    if case .branch(let children) = params, position < children.count, children[position].label == first {
      tree = children[position].tree
    } else {
      tree = params.child(first)
    }
    return labels.count == 1 ? tree : labels.dropFirst().reduce(tree) { $0.child($1) }
  }

  /// The tree with the subtree at this address replaced.
  func replacing(_ params: Params, by part: Params) throws(FlowError) -> Params {
    try params.replacing(labels.joined(separator: "/"), by: part)
  }

  /// The number of learned leaves before the subtree.
  func leavesBefore(in params: Params) -> Int {
    var (tree, count) = (params, 0)
    for label in labels {
      let before = tree.children.prefix { $0.label != label }
      count += before.reduce(0) { $0 + $1.tree.learnedLeaves.count }
      tree = tree.child(label)
    }
    return count
  }
}
