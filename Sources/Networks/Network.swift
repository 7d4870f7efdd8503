import Randomness
import Tensors

/// A conditioner: a key, an input and an output shape give parameters and a pure function of them.
///
/// `apply(params, x)` takes `[batch] + inputDim` to `[batch] + outputDim`, each row on its own.
public protocol Network: Sendable {
  /// Parameters and the function. Initial values are drawn in float32 and converted.
  func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply)
}

/// What a network computes from its parameters and a batch.
public typealias Apply = @Sendable (_ params: Params, _ inputs: Tensor) -> Tensor

extension Network {
  /// Parameters and the function.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try initialize(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
  }
}
