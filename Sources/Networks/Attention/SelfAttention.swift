import Randomness
import Tensors

/// Self-attention with several heads: each token receives a weighted mean of projections of all tokens.
///
/// With queries, keys and values (q, k, v) = x W + b, split into heads of width d: a head gives token i the
/// vector Σⱼ softmaxⱼ(qᵢ · kⱼ / √d) vⱼ. The heads are joined, and a last projection follows. If causal, the
/// sum is over j ≤ i.
///
/// The tokens are all axes but the last, in row-major order.
///
/// Parameters: `qkv` and `out`, as of `Dense`: [channels, 3 channels] and [channels, channels]. Cost:
/// O(T channels² + T² channels) per row of T tokens.
///
/// Errors: `mismatch` if input and output have different shapes, for one axis, and for channels that the
/// heads do not divide.
///
/// Vaswani et al. 2017, *Attention is all you need*, arXiv 1706.03762, section 3.2.
public struct SelfAttention: Network {
  /// The number of heads.
  public let heads: Int
  /// Whether a token sees itself and earlier tokens alone.
  public let isCausal: Bool

  /// An attention.
  ///
  /// - Precondition: There is at least one head.
  public init(heads: Int = 1, isCausal: Bool = false) {
    require(heads >= 1, "SelfAttention: at least one head, got \(heads)")
    (self.heads, self.isCausal) = (heads, isCausal)
  }

  /// Initial parameters and the function.
  public func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    guard inputDim.rank >= 2, inputDim == outputDim else {
      throw .mismatch(
        who: "SelfAttention", what: "shapes", expected: "[tokens..., channels], twice the same",
        got: "\(inputDim) and \(outputDim)")
    }
    try check(width: inputDim[-1], of: "SelfAttention")
    let (layer, tokens) = (self, inputDim.count / max(inputDim[-1], 1))
    return (
      params(key, inputDim[-1], dtype),
      { params, x in
        let list = x.reshaped(to: [x.rows, tokens, x.shape[-1]])
        return layer(params, list).reshaped(to: x.shape)
      }
    )
  }

  func check(width: Int, of who: String) throws(FlowError) {
    if width > 0 && width % heads == 0 { return }
    throw .mismatch(who: who, what: "channels", expected: "a multiple of \(heads) heads", got: "\(width)")
  }

  func params(_ key: Key, _ width: Int, _ dtype: DType) -> Params {
    [
      "qkv": Projection.params(key.folded(in: 0), width, 3 * width, dtype: dtype),
      "out": Projection.params(key.folded(in: 1), width, width, dtype: dtype),
    ]
  }

  /// Maps all tokens [rows, tokens, channels].
  func callAsFunction(_ params: Params, _ x: Tensor) -> Tensor { project(params, x) { means($0) } }

  /// Maps the next token [rows, 1, channels], which sees those in the cache and itself.
  func next(_ params: Params, _ x: Tensor, _ cache: KeysAndValues) -> Tensor {
    project(params, x, cache.next)
  }

  /// The means of the values of all tokens.
  var means: AttentionMeans { AttentionMeans(heads: heads, isCausal: isCausal) }

  private func project(_ params: Params, _ x: Tensor, _ means: (_ qkv: Tensor) -> Tensor) -> Tensor {
    Projection.apply(params.child("out"), means(Projection.apply(params.child("qkv"), x)))
  }
}
