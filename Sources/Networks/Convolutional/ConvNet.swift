import Randomness
import Tensors

/// Convolutions one after the other, each followed by an activation but for the last: what image couplings are conditioned by.
///
/// By default Glow's: windows 3, 1, 3. The last layer starts at zero, so a coupling that it conditions starts as the identity.
///
/// Parameters: `conv_0`, `conv_1`, ... as of `Conv`. Errors: `mismatch` when input and output differ in their positions.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.3.
public struct ConvNet: Network {
  /// The channels of the hidden layers.
  public let hidden: [Int]
  /// Each layer's window; the last one stands for all layers beyond.
  public let windows: [Shape]
  /// The function after each hidden layer.
  public let activation: Activation
  /// How the hidden layers' weights are drawn.
  public let weight: Initializer
  /// How the last layer's weights are drawn.
  public let lastWeight: Initializer

  /// Convolutions with hidden layers of the given channels.
  ///
  /// - Precondition: at least one window.
  public init(
    hidden: [Int], windows: [Shape] = [3, 1, 3], activation: Activation = .relu,
    weight: Initializer = .heNormal,
    lastWeight: Initializer = .zeros
  ) {
    require(!windows.isEmpty, "ConvNet: at least one window")
    self.hidden = hidden
    self.windows = windows
    self.activation = activation
    self.weight = weight
    self.lastWeight = lastWeight
  }

  /// Parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    var members: [(params: Params, apply: Apply)] = []
    var shape = inputDim
    for i in 0...hidden.count {
      let (isLast, window) = (i == hidden.count, windows[min(i, windows.count - 1)])
      let next = isLast ? outputDim : shape.replacing(-1, by: hidden[i])
      let layer =
        isLast ? Conv(window, weight: lastWeight) : Conv(window, activation: activation, weight: weight)
      members.append(try layer(key.folded(in: i), inputDim: shape, outputDim: next, dtype: dtype))
      shape = next
    }
    let applies = members.map(\.apply)
    return (
      .branch(members.enumerated().map { .init("conv_\($0)", $1.params) }),
      { params, x in
        applies.enumerated().reduce(x) { x, layer in layer.element(params.child(layer.offset), x) }
      }
    )
  }
}
