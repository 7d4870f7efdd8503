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

  /// The initial parameters, changed to suit a batch of inputs. By default they stay as they are.
  ///
  /// A coupling calls it if there are data for initial parameters. Networks around others do not pass it on.
  func adapted(_ params: Params, to inputs: Tensor) -> Params
}

/// The function of a network: from parameters and a batch of inputs to a batch of outputs.
public typealias Apply = @Sendable (_ params: Params, _ inputs: Tensor) -> Tensor

extension Network {
  /// The initial parameters as they are.
  public func adapted(_ params: Params, to inputs: Tensor) -> Params { params }

  /// Initial parameters and the function.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try initialize(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
  }
}

/// Networks one after the other. Network i has child i of the key, and a label: the prefix and i.
func sequence(
  _ prefix: String, _ networks: [(some Network, outputDim: Shape)], _ key: Key, inputDim: Shape, dtype: DType
) throws(FlowError) -> (params: Params, apply: Apply) {
  let inputs = [inputDim] + networks.map(\.outputDim)
  let members = try networks.enumerated().map { (i, layer) throws(FlowError) in
    try layer.0(key.folded(in: i), inputDim: inputs[i], outputDim: layer.outputDim, dtype: dtype)
  }
  let applies = members.map(\.apply)
  return (
    .branch(members.enumerated().map { .init("\(prefix)\($0)", $1.params) }),
    { params, x in applies.enumerated().reduce(x) { x, layer in layer.1(params.child(layer.0), x) } }
  )
}
