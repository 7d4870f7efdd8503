import Randomness
import Tensors

/// A convolutional network: convolutions one after the other, with an activation after each but the last.
///
/// The default windows 3, 1, 3 are those of Glow. The last layer starts at zero by default. So a coupling
/// with this conditioner starts as the identity.
///
/// Parameters: `conv_0`, `conv_1`, ... as of `Conv`. Errors: `mismatch` when the positions of input and
/// output differ.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.3.
public struct ConvNet: Network {
  /// The channels of the hidden layers.
  public let hidden: [Int]
  /// The window of each layer. The last window also serves all further layers.
  public let windows: [Shape]
  /// The function after each hidden layer.
  public let activation: Activation
  /// The initializer of the weights of hidden layers.
  public let weight: Initializer
  /// The initializer of the weights of the last layer.
  public let lastWeight: Initializer

  /// A network whose hidden layers have the given channels.
  ///
  /// - Precondition: at least one window.
  public init(
    hidden: [Int], windows: [Shape] = [3, 1, 3], activation: Activation = .relu,
    weight: Initializer = .heNormal, lastWeight: Initializer = .zeros
  ) {
    require(!windows.isEmpty, "ConvNet: at least one window")
    (self.hidden, self.windows, self.activation) = (hidden, windows, activation)
    (self.weight, self.lastWeight) = (weight, lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    func window(_ i: Int) -> Shape { windows[min(i, windows.count - 1)] }
    let layers = hidden.enumerated().map { i, channels in
      (Conv(window(i), activation: activation, weight: weight), inputDim.replacing(-1, by: channels))
    }
    let last = (Conv(window(hidden.count), weight: lastWeight), outputDim)
    return try sequence("conv_", layers + [last], key, inputDim: inputDim, dtype: dtype)
  }
}
