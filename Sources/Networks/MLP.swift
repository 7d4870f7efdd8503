import Randomness
import Tensors

/// A multi-layer perceptron on the last axis: dense layers one after the other.
///
/// The last layer starts at zero by default. So a coupling with this conditioner starts as the identity.
/// Parameters: `dense_0`, `dense_1`, ... as of `Dense`.
public struct MLP: Network {
  /// The widths of the hidden layers.
  public let hidden: [Int]
  /// The function after each hidden layer.
  public let activation: Activation
  /// The initializer of the weights of hidden layers.
  public let weight: Initializer
  /// The initializer of the weights of the last layer.
  public let lastWeight: Initializer

  /// A perceptron with hidden layers of the given widths.
  public init(
    hidden: [Int], activation: Activation = .relu, weight: Initializer = .heNormal,
    lastWeight: Initializer = .zeros
  ) {
    self.hidden = hidden
    self.activation = activation
    self.weight = weight
    self.lastWeight = lastWeight
  }

  /// Initial parameters and the function. Throws when the shapes differ in more than their last axis.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let layer = Dense(activation: activation, weight: weight)
    let layers = hidden.map { (network: layer as any Network, outputDim: inputDim.replacing(-1, by: $0)) }
    return try sequence(
      "dense", layers + [(Dense(weight: lastWeight), outputDim)], key, inputDim: inputDim, dtype: dtype)
  }
}
