import Randomness
import Tensors

/// A residual block of three convolutions, the conditioner of InvertibleNetworks.jl.
///
/// h = f(x ∗ w₁ + b₁), h′ = f(h + h ∗ w₂ + b₂), and y is the transposed convolution of h′ with w₃, without a
/// bias. w₁ and w₃ share window and stride, so y has the positions of x. There are two ends:
///
/// - `.fan` returns y, which has the output channels;
/// - `.galu` computes twice as many channels (u, v) and returns the gated linear unit u · sigmoid(v).
///
/// The original adds an activation to `.fan`, which makes every shift non-negative. Here there is none.
///
/// Parameters: `w1` [window..., in, hidden], `b1`, `w2` [window..., hidden, hidden], `b2`, and `w3`
/// [window..., out, hidden], which starts at zero by default. Errors: `mismatch` for positions that are not
/// multiples of the stride.
///
/// Witte et al. 2023, *InvertibleNetworks.jl*, arXiv 2312.13480.
public struct ResidualBlock: Network {
  /// The end of a block.
  public enum End: Sendable, Hashable {
    /// The last product.
    case fan
    /// One half of the last product, gated by the other half.
    case galu
  }

  /// The number of hidden channels.
  public let hidden: Int
  /// The windows of the outer convolutions and of the inner one.
  public let windows: (outer: Shape, inner: Shape)
  /// The stride of the outer convolutions.
  public let stride: Shape
  /// The end of the block.
  public let end: End
  /// The function after the first two convolutions.
  public let activation: Activation
  /// The initializer of `w3`.
  public let lastWeight: Initializer

  /// A residual block.
  public init(
    hidden: Int, windows: (outer: Shape, inner: Shape) = (3, 3), stride: Shape = 1, end: End = .fan,
    activation: Activation = .relu, lastWeight: Initializer = .zeros
  ) {
    (self.hidden, self.windows, self.stride) = (hidden, windows, stride)
    (self.end, self.activation, self.lastWeight) = (end, activation, lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let first = Conv(windows.outer, stride: stride, activation: activation)
    let inside = try first.outputDim(of: inputDim, channels: hidden)
    let second = Conv(windows.inner)
    let last = Conv(windows.outer, stride: stride, isTransposed: true, weight: lastWeight)
    let channels = outputDim[-1] * (end == .galu ? 2 : 1)
    let outputs = outputDim.replacing(-1, by: channels)
    let (firstParams, down) = try first(
      key.folded(in: 0), inputDim: inputDim, outputDim: inside, dtype: dtype)
    let (secondParams, across) = try second(
      key.folded(in: 1), inputDim: inside, outputDim: inside, dtype: dtype)
    let (lastParams, up) = try last(key.folded(in: 2), inputDim: inside, outputDim: outputs, dtype: dtype)
    let zeros = Tensor.zeros([channels], dtype: dtype)
    let (activation, end) = (activation, end)
    return (
      [
        "w1": firstParams.child("weight"), "b1": firstParams.child("bias"),
        "w2": secondParams.child("weight"), "b2": secondParams.child("bias"),
        "w3": lastParams.child("weight"),
      ],
      { params, x in
        func layer(_ w: String, _ b: String) -> Params {
          ["weight": params.child(w), "bias": params.child(b)]
        }
        let h = down(layer("w1", "b1"), x)
        let inner = activation(h + across(layer("w2", "b2"), h))
        let y = up(["weight": params.child("w3"), "bias": .frozen(zeros)], inner)
        if end == .fan { return y }
        let half = channels / 2
        return y.sliced(axis: -1, 0..<half) * sigmoid(y.sliced(axis: -1, half..<channels))
      }
    )
  }
}
