import Tensors

extension Mapping {
  /// A member of a chain.
  struct Link: Sendable {
    let mapping: Mapping
    /// The position of its parameters among the chain's children.
    let child: Int
  }

  /// A layer's backward pass that starts from its outputs.
  typealias Reversal =
    @Sendable (
      _ params: Params, _ outputs: Tensor, _ context: Tensor?,
      _ cotangents: (outputs: Tensor?, logDet: Tensor?),
      _ wanted: (inputs: Bool, context: Bool)
    ) throws(FlowError) -> Reversed

  /// What a layer's backward pass gives: its inputs, and cotangents of inputs, learned leaves and context (nil: zero).
  struct Reversed {
    let inputs: Tensor
    let byInputs: Tensor?
    let byParams: [Tensor?]
    let byContext: Tensor?
  }

  /// The general way: the inverse gives the inputs, where they are not at hand, and the layer alone is differentiated there.
  func reversed(
    _ params: Params, outputs: Tensor, inputs known: Tensor?, through inverse: Mapping, _ context: Tensor?,
    _ cotangents: (outputs: Tensor?, logDet: Tensor?), wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> Reversed {
    if known == nil, let reversal { return try reversal(params, outputs, context, cotangents, wanted) }
    let inputs: Tensor
    if let known { inputs = known } else { inputs = try inverse.body(params, outputs, context).outputs }
    let leaves = params.learnedLeaves
    let (_, pullback) = try pullbackOnce(
      at: [inputs] + leaves + (context.map { [$0] } ?? []),
      wanted: [wanted.inputs] + leaves.map { _ in true } + (context.map { _ in [wanted.context] } ?? [])
    ) { (points) throws(FlowError) in
      let own = params.replacingLearned(with: Array(points[1..<leaves.count + 1]))
      let (y, logDet) = try body(own, points[0], context == nil ? nil : points[leaves.count + 1])
      return [y, logDet]
    }
    let results = pullback([cotangents.outputs, cotangents.logDet])
    return Reversed(
      inputs: inputs, byInputs: results[0], byParams: Array(results[1..<leaves.count + 1]),
      byContext: context == nil ? nil : results[leaves.count + 1])
  }

  /// The layers of nested chains in running order, each with the path to its parameters.
  func layers(_ path: [Int] = []) -> [(mapping: Mapping, path: [Int])] {
    guard let links else { return [(self, path)] }
    return links.flatMap { $0.mapping.layers(path + [$0.child]) }
  }
}

extension Tree where Leaf == Tensor {
  /// The subtree at a path of positions, and where its learned leaves begin among all.
  func part(at path: [Int]) -> (tree: Tree, firstLeaf: Int) {
    path.reduce((self, 0)) { part, position in
      let before = part.0.children[..<position].reduce(0) { $0 + $1.tree.learnedLeaves.count }
      return (part.0.child(position), part.1 + before)
    }
  }
}
