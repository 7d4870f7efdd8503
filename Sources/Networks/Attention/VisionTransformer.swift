import Randomness
import Tensors

/// A vision transformer: every position of an image sees all others by attention.
///
/// The tokens are the positions of a sample [positions..., channels]. Let `Squeeze` turn patches into
/// positions first. A learned position is added to a projection of each token. A layer is attention and a
/// perceptron with the exact gelu, each behind a layer normalization and beside a residual. A normalization
/// and a projection give the outputs. It is the conditioner of Jet's couplings.
///
/// Parameters: `first`; `position` [tokens, width], normal with deviation 1 / √width; `layer_i` with
/// `norm_0`, `attention`, `norm_1`, `dense_0` and `dense_1`; `norm`; and `last`, which starts at zero by
/// default. Other weights are Glorot uniform. Cost: O(layers · T · width · (width + T)) per row of T tokens.
///
/// Errors: `mismatch` for a vector, for outputs at other positions, and for a width that the heads do not
/// divide.
///
/// Dosovitskiy et al. 2020, *An image is worth 16x16 words*, arXiv 2010.11929, eqs. 1-4; Kolesnikov, Pinto &
/// Tschannen 2024, *Jet*, arXiv 2412.15129, section 3, and its program.
public struct VisionTransformer: Network {
  private let network: TokenNetwork

  /// A vision transformer.
  ///
  /// - Parameters:
  ///   - width: The channels of a token inside.
  ///   - layers: The number of layers.
  ///   - heads: The number of attention heads.
  ///   - expansion: The hidden units of a perceptron, in multiples of the width.
  ///   - lastWeight: The initializer of the weights of the last projection.
  /// - Precondition: Sizes are positive; layers may be 0.
  public init(
    width: Int = 64, layers: Int = 2, heads: Int = 1, expansion: Int = 4, lastWeight: Initializer = .zeros
  ) {
    require(
      width >= 1 && layers >= 0 && expansion >= 1,
      "VisionTransformer: positive sizes, got width \(width), \(layers) layers, expansion \(expansion)")
    network = TokenNetwork(
      name: "VisionTransformer", width: width, layers: layers, expansion: expansion,
      attention: SelfAttention(heads: heads), normalizesLast: true,
      position: .normal(standardDeviation: 1 / Double(width).squareRoot()), lastWeight: lastWeight)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    try network.network(key, inputDim: inputDim, outputDim: outputDim, dtype: dtype)
  }
}
