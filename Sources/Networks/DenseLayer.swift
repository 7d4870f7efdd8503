import Randomness
import Tensors

/// A dense layer on the last axis: y = f(x W + b).
///
/// Parameters: `weight` [in, out], by default Glorot uniform; `bias` [out], by default zeros.
/// Cost: 2 · in · out operations per row.
public struct Dense: Network {
  /// The function f.
  public let activation: Activation
  /// The initializer of `weight`.
  public let weight: Initializer
  /// The initializer of `bias`.
  public let bias: Initializer

  /// A dense layer.
  public init(
    activation: Activation = .identity, weight: Initializer = .glorotUniform, bias: Initializer = .zeros
  ) {
    (self.activation, self.weight, self.bias) = (activation, weight, bias)
  }

  /// Initial parameters and the function. Throws when the shapes differ in more than their last axis.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 1, outputDim.rank >= 1, inputDim.replacing(-1, by: outputDim[-1]) == outputDim
    else {
      throw .mismatch(
        who: "Dense", what: "an output shape that differs from \(inputDim) in the last axis only",
        expected: "[..., outputs]", got: "\(outputDim)")
    }
    let (inputs, outputs) = (inputDim[-1], outputDim[-1])
    let params: Params = [
      "weight": .leaf(weight(key.folded(in: 0), [inputs, outputs], dtype: dtype)),
      "bias": .leaf(bias(key.folded(in: 1), [outputs], dtype: dtype)),
    ]
    let activation = activation
    return (params, { params, x in dense(x, params["weight"], params["bias"], activation) })
  }
}
