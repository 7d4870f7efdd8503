import Randomness
import Tensors

/// A residual network: blocks of two convolutions between a first and a last convolution.
///
/// h₀ = x ∗ w + b, hᵢ = hᵢ₋₁ + (f(f(hᵢ₋₁) ∗ uᵢ + cᵢ)) ∗ vᵢ + dᵢ, y = f(hₙ) ∗ w′ + b′. There is no batch
/// normalization, so rows do not depend on each other.
///
/// Parameters: `first`, `block_i/0`, `block_i/1` and `last`, as of `Conv`. The second convolution of each
/// block and the last convolution start at zero by default. Errors: those of `Conv`.
///
/// He et al. 2016, *Identity mappings in deep residual networks*, arXiv 1603.05027; Dinh, Sohl-Dickstein &
/// Bengio 2016, *Real NVP*, arXiv 1605.08803, section 3.6.
public struct ResNet: Network {
  /// The number of channels between the first and the last convolution.
  public let hidden: Int
  /// The number of blocks.
  public let blocks: Int
  /// The window of the convolutions but the last.
  public let window: Shape
  /// The function before each convolution but the first.
  public let activation: Activation
  /// The initializer of the weights of the last layer.
  public let lastWeight: Initializer

  /// A residual network.
  ///
  /// - Precondition: `blocks` is not negative.
  public init(
    hidden: Int, blocks: Int, window: Shape = 3, activation: Activation = .relu,
    lastWeight: Initializer = .zeros
  ) {
    require(blocks >= 0, "ResNet: blocks is not negative, got \(blocks)")
    (self.hidden, self.blocks, self.window) = (hidden, blocks, window)
    (self.activation, self.lastWeight) = (activation, lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (inside, activation) = (inputDim.replacing(-1, by: hidden), activation)
    let (firstParams, first) = try Conv(window)(
      key.folded(in: 0), inputDim: inputDim, outputDim: inside, dtype: dtype)
    let (lastParams, last) = try Conv(1, weight: lastWeight)(
      key.folded(in: 1), inputDim: inside, outputDim: outputDim, dtype: dtype)
    let pair = [Conv(window, activation: activation), Conv(window, weight: .zeros)].map { ($0, inside) }
    let blocks = try (0..<blocks).map { (i) throws(FlowError) in
      try sequence("", pair, key.folded(in: i + 2), inputDim: inside, dtype: dtype)
    }
    let children = blocks.enumerated().map { Params.Child("block_\($0)", $1.params) }
    let applies = blocks.map(\.apply)
    return (
      .branch([.init("first", firstParams)] + children + [.init("last", lastParams)]),
      { params, x in
        var h = first(params.child("first"), x)
        for (i, block) in applies.enumerated() { h = h + block(params.child(i + 1), activation(h)) }
        return last(params.child("last"), activation(h))
      }
    )
  }
}
