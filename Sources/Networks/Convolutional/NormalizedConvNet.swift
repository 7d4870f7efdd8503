import Randomness
import Tensors

/// The convolutional network of Glow: convolutions with an activation normalization of each channel.
///
/// A layer is h ↦ f((h ∗ w + b) · exp(3 s)) with b and s for each channel; f is left out in the last. The
/// factor 3 is that of Glow's program and makes s learn faster.
///
/// A coupling with data for initial parameters adapts the hidden layers to them. Then each channel has mean 0
/// and deviation 1 before f on these data. Without data b = s = 0.
///
/// Parameters: `conv_0`, `conv_1`, ... with `weight` [window..., in, out], `bias` [out] and `logScale` [out].
/// Weights are normal with deviation 0.05; the last layer starts at zero. Errors: `mismatch` when the
/// positions of input and output differ.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, sections 3.1 and 3.3, and its program.
public struct NormalizedConvNet: Network {
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
    weight: Initializer = .normal(standardDeviation: 0.05), lastWeight: Initializer = .zeros
  ) {
    require(!windows.isEmpty, "NormalizedConvNet: at least one window")
    (self.hidden, self.windows, self.activation) = (hidden, windows, activation)
    (self.weight, self.lastWeight) = (weight, lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let channels = hidden + [outputDim[-1]]
    var (layers, convolutions, shape): ([Params.Child], [Apply], Shape) = ([], [], inputDim)
    for (i, width) in channels.enumerated() {
      let isLast = i == hidden.count
      let conv = Conv(windows[min(i, windows.count - 1)], weight: isLast ? lastWeight : weight)
      let next = isLast ? outputDim : inputDim.replacing(-1, by: width)
      let (params, apply) = try conv(key.folded(in: i), inputDim: shape, outputDim: next, dtype: dtype)
      let logScale = Params.Child("logScale", .leaf(.zeros([width], dtype: dtype)))
      layers.append(.init("conv_\(i)", .branch(params.children + [logScale])))
      convolutions.append(apply)
      shape = next
    }
    let (applies, activation) = (convolutions, activation)
    return (
      .branch(layers),
      { params, x in
        var h = x
        for (i, convolution) in applies.enumerated() {
          let own = params.child(i)
          h = convolution(own, h) * exp(3 * own["logScale"])
          if i < applies.count - 1 { h = activation(h) }
        }
        return h
      }
    )
  }

  /// The initial parameters with hidden layers that standardize each channel on a batch of inputs.
  public func adapted(_ params: Params, to inputs: Tensor) -> Params {
    var (h, layers) = (inputs, params.children)
    for i in hidden.indices {
      let (weight, bias) = (layers[i].tree["weight"], layers[i].tree["bias"])
      let strides = [Int](repeating: 1, count: h.rank - 2)
      let sums = convolution(h, weight, bias, .identity, strides: strides, padding: .same)
      let rows = sums.reshaped(to: [sums.count / hidden[i], hidden[i]])
      let mean = rows.mean(axis: 0)
      let deviation = sqrt(square(rows - mean).mean(axis: 0)) + 1e-6
      let own: Params = [
        "weight": .leaf(weight), "bias": .leaf(bias - mean), "logScale": .leaf(-log(deviation) / 3),
      ]
      layers[i] = .init(layers[i].label, own)
      h = activation((sums - mean) / deviation)
    }
    return .branch(layers)
  }
}
