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
    (self.hidden, self.activation, self.weight, self.lastWeight) = (hidden, activation, weight, lastWeight)
  }

  /// Initial parameters and the function. Throws when the shapes differ in more than their last axis.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let layer = Dense(activation: activation, weight: weight)
    let layers = hidden.map { (layer, inputDim.replacing(-1, by: $0)) }
    let last = (Dense(weight: lastWeight), outputDim)
    return try sequence("dense_", layers + [last], key, inputDim: inputDim, dtype: dtype)
  }
}
