import Randomness
import Tensors

/// A neural network: a key, an input shape and an output shape give parameters and a pure function of them.
///
/// `apply(params, x)` maps `[batch] + inputDim` to `[batch] + outputDim`, each row by itself.
public protocol Network: Sendable {
  /// Initial parameters and the function. Initial values are drawn in float32 and converted to `dtype`.
  func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply)
}

/// The function of a network: from parameters and a batch of inputs to a batch of outputs.
public typealias Apply = @Sendable (_ params: Params, _ inputs: Tensor) -> Tensor

extension Network {
  /// Initial parameters and the function.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try initialize(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
  }
}

/// Networks one after the other. Network i has the label `name_i`, and child i of the key.
func sequence(
  _ name: String, _ networks: [(network: any Network, outputDim: Shape)], _ key: Key, inputDim: Shape,
  dtype: DType
) throws(FlowError) -> (params: Params, apply: Apply) {
  var children: [Params.Child] = []
  var applies: [Apply] = []
  var shape = inputDim
  for (i, (network, outputDim)) in networks.enumerated() {
    let member = try network(key.folded(in: i), inputDim: shape, outputDim: outputDim, dtype: dtype)
    children.append(.init("\(name)_\(i)", member.params))
    applies.append(member.apply)
    shape = outputDim
  }
  let members = applies
  return (
    .branch(children),
    { params, x in
      var x = x
      for (i, apply) in members.enumerated() { x = apply(params.child(i), x) }
      return x
    }
  )
}
