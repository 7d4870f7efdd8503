import Tensors

/// The arguments of a function that is differentiated. As one list of tensors, inputs come first, then
/// learned leaves, then the context, if there is one.
struct Arguments {
  var inputs: [Tensor] = []
  let params: Params
  let context: Tensor?

  var tensors: [Tensor] { inputs + params.learnedLeaves + (context.map { [$0] } ?? []) }

  /// Marks each tensor that needs a cotangent. Learned leaves always need one.
  func marked(inputs: Bool, context: Bool) -> [Bool] {
    self.inputs.map { _ in inputs } + params.learnedLeaves.map { _ in true }
      + (self.context.map { _ in [context] } ?? [])
  }

  /// The same arguments with other tensors, in the order of `tensors`.
  func replaced(by tensors: [Tensor]) -> Arguments {
    let (inputs, leaves, last) = taken(apart: tensors)
    return Arguments(inputs: inputs, params: params.replacingLearned(with: leaves), context: last)
  }

  /// Takes a list in the order of `tensors` apart.
  func taken<T>(apart list: [T]) -> (inputs: [T], leaves: [T], context: T?) {
    let end = list.count - (context == nil ? 0 : 1)
    return (Array(list[..<inputs.count]), Array(list[inputs.count..<end]), context == nil ? nil : list[end])
  }
}

extension Mapping {
  /// Cotangents of a mapping's outputs and log-dets; nil stands for zero.
  typealias Cotangents = (outputs: Tensor?, logDet: Tensor?)

  /// A backward pass that starts from a layer's outputs.
  typealias Reversal =
    @Sendable (
      _ params: Params, _ outputs: Tensor, _ context: Tensor?, _ cotangents: Cotangents,
      _ wanted: (inputs: Bool, context: Bool)
    ) throws(FlowError) -> Reversed

  /// The result of a backward pass: inputs, and the cotangents of inputs, learned leaves and context. Nil
  /// stands for zero.
  typealias Reversed = (inputs: Tensor, byInputs: Tensor?, byParams: [Tensor?], byContext: Tensor?)

  /// Outputs and log-dets at arguments with one input.
  func results(at point: Arguments) throws(FlowError) -> [Tensor] {
    let (outputs, logDet) = try body(point.params, point.inputs[0], point.context)
    return [outputs, logDet]
  }

  /// The general backward pass of a layer: the inverse recovers its inputs, and the layer alone is
  /// differentiated there.
  ///
  /// - Parameter known: the inputs, if they have been stored.
  func reversed(
    _ params: Params, outputs: Tensor, inputs known: Tensor?, through inverse: Mapping, _ context: Tensor?,
    _ cotangents: Cotangents, wanted: (inputs: Bool, context: Bool)
  ) throws(FlowError) -> Reversed {
    if known == nil, case .layer(let reversal?) = composition {
      return try reversal(params, outputs, context, cotangents, wanted)
    }
    let inputs: Tensor
    if let known { inputs = known } else { inputs = try inverse.body(params, outputs, context).outputs }
    let point = Arguments(inputs: [inputs], params: params, context: context)
    let (_, pullback) = try pullbackOnce(
      at: point.tensors, wanted: point.marked(inputs: wanted.inputs, context: wanted.context)
    ) { (tensors) throws(FlowError) in try results(at: point.replaced(by: tensors)) }
    let parts = point.taken(apart: pullback([cotangents.outputs, cotangents.logDet]))
    return (inputs, parts.inputs[0], parts.leaves, parts.context ?? nil)
  }
}
