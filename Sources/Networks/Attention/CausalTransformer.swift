import Randomness
import Tensors

/// A causal transformer: the outputs for each token depend on it and on earlier tokens alone.
///
/// The tokens are the positions of a sample [positions..., channels] in row-major order. They are projected
/// to `width` channels, and a learned position is added. A layer is attention and a perceptron with the exact
/// gelu, each behind a layer normalization and beside a residual. A projection gives the outputs.
///
/// It is the conditioner of `TokenAutoregressive`, which can give it a context.
///
/// Parameters: `first`; `position` [tokens, width], normal with deviation 0.01; `layer_i` with `norm_0`,
/// `attention`, `norm_1`, `dense_0` and `dense_1`; and `last`, which starts at zero by default. Other weights
/// are Glorot uniform. Cost: O(layers · T · width · (width + T)) per row of T tokens.
///
/// Errors: `mismatch` for a vector, for outputs at other positions, and for a width that the heads do not
/// divide.
///
/// Zhai et al. 2024, *Normalizing flows are capable generative models*, arXiv 2412.06329, section 3.1.
public struct CausalTransformer: Network {
  /// The network of tokens.
  package let network: TokenNetwork

  /// A causal transformer.
  ///
  /// - Parameters:
  ///   - width: The channels of a token inside.
  ///   - layers: The number of layers.
  ///   - heads: The number of attention heads. The paper's have 64 channels each.
  ///   - expansion: The hidden units of a perceptron, in multiples of the width.
  ///   - lastWeight: The initializer of the weights of the last projection.
  /// - Precondition: Sizes are positive; layers may be 0.
  public init(
    width: Int = 64, layers: Int = 2, heads: Int = 1, expansion: Int = 4, lastWeight: Initializer = .zeros
  ) {
    require(
      width >= 1 && layers >= 0 && expansion >= 1,
      "CausalTransformer: positive sizes, got width \(width), \(layers) layers, expansion \(expansion)")
    network = TokenNetwork(
      name: "CausalTransformer", width: width, layers: layers, expansion: expansion,
      attention: SelfAttention(heads: heads, isCausal: true), normalizesLast: false,
      position: .normal(standardDeviation: 0.01), lastWeight: lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try network.network(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
  }
}
