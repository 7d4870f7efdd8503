import Tensors

extension Mapping {
  /// Cotangents of a mapping's outputs and log-dets; nil stands for zero.
  typealias Cotangents = (outputs: Tensor?, logDet: Tensor?)

  /// A backward pass that starts from a layer's outputs.
  typealias Reversal =
    @Sendable (
      _ params: Params, _ outputs: Tensor, _ context: Tensor?, _ cotangents: Cotangents,
      _ wanted: (inputs: Bool, context: Bool)
    ) throws(FlowError) -> Reversed

  /// The result of a backward pass: inputs, and cotangents of inputs, learned leaves and context. Nil stands for zero.
  struct Reversed {
    let inputs: Tensor
    var byInputs: Tensor?
    var byParams: [Tensor?]
    var byContext: Tensor?
  }

  /// The general backward pass of a layer: the inverse gives its inputs, and the layer alone is differentiated there.
  ///
  /// - Parameter known: the inputs, where they have been stored.
  func reversed(
    _ params: Params, outputs: Tensor, inputs known: Tensor?, through inverse: Mapping, _ context: Tensor?,
    _ cotangents: Cotangents, wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> Reversed {
    if known == nil, case .layer(let reversal?) = composition {
      return try reversal(params, outputs, context, cotangents, wanted)
    }
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
}
