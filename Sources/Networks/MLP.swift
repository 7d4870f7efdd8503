import Randomness
import Tensors

/// Dense layers one after the other: a multi-layer perceptron on the last axis.
///
/// The last layer starts at zero by default, so a coupling that it conditions starts as the identity.
/// Parameters: `dense_0`, `dense_1`, ... as of `Dense`.
public struct MLP: Network {
  /// The widths of the hidden layers.
  public let hidden: [Int]
  /// The function after each hidden layer.
  public let activation: Activation
  /// How the hidden layers' weights are drawn.
  public let weight: Initializer
  /// How the last layer's weights are drawn.
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

  /// Parameters and the function. Throws when the shapes differ in more than their last axis.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    var children: [Params.Child] = []
    var layers: [Apply] = []
    var shape = inputDim
    for i in 0...hidden.count {
      let isLast = i == hidden.count
      let next = isLast ? outputDim : shape.replacing(-1, by: hidden[i])
      let layer = isLast ? Dense(weight: lastWeight) : Dense(activation: activation, weight: weight)
      let (params, apply) = try layer(key.folded(in: i), inputDim: shape, outputDim: next, dtype: dtype)
      children.append(.init("dense_\(i)", params))
      layers.append(apply)
      shape = next
    }
    let applies = layers
    return (
      .branch(children),
      { params, x in
        var x = x
        for (i, apply) in applies.enumerated() { x = apply(params.child(i), x) }
        return x
      }
    )
  }
}
