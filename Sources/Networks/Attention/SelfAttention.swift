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
  func callAsFunction(_ params: Params, _ x: Tensor) -> Tensor {
    let (q, k, v) = projections(params, x)
    var scores = batchedMatmul(q, k, transposeB: true)
    if isCausal && x.shape[1] > 1 { scores = scores + Self.laterTokens(x.shape[1], x.dtype) }
    return joined(params, batchedMatmul(scores.softmax(axis: -1), v), like: x)
  }

  /// Maps the next token [rows, 1, channels], which sees those in the cache and itself.
  ///
  /// The result has the bits of a causal pass over all tokens. The sums there end with exact zeros.
  func next(_ params: Params, _ x: Tensor, _ cache: inout KeysAndValues) -> Tensor {
    let (q, k, v) = projections(params, x)
    cache.append(k, v)
    let scores = batchedMatmul(q, cache.keys!, transposeB: true)
    return joined(params, batchedMatmul(scores.softmax(axis: -1), cache.values!), like: x)
  }

  /// Queries, scaled by 1 / √d, keys and values: [rows · heads, tokens, d].
  private func projections(_ params: Params, _ x: Tensor) -> (q: Tensor, k: Tensor, v: Tensor) {
    let all = Projection.apply(params.child("qkv"), x)
    let (channels, width) = (x.shape[-1], x.shape[-1] / heads)
    func split(_ i: Int) -> Tensor {
      let part = all.sliced(axis: -1, i * channels..<(i + 1) * channels)
      if heads == 1 { return part }
      return part.reshaped(to: [x.rows, x.shape[1], heads, width]).permuted(axes: [0, 2, 1, 3])
        .reshaped(to: [x.rows * heads, x.shape[1], width])
    }
    return (split(0) * (1 / Double(width).squareRoot()), split(1), split(2))
  }

  /// Joins the heads and projects.
  private func joined(_ params: Params, _ means: Tensor, like x: Tensor) -> Tensor {
    let width = x.shape[-1] / heads
    let all =
      heads == 1
      ? means
      : means.reshaped(to: [x.rows, heads, x.shape[1], width]).permuted(axes: [0, 2, 1, 3])
        .reshaped(to: x.shape)
    return Projection.apply(params.child("out"), all)
  }

  /// −∞ for each token after a token, 0 elsewhere.
  private static func laterTokens(_ count: Int, _ dtype: DType) -> Tensor {
    let numbers = (0..<count * count).map { $0 % count > $0 / count ? -Double.infinity : 0 }
    return Tensor(numbers, shape: [count, count], dtype: dtype)
  }
}

/// The keys and values of the tokens so far, [rows · heads, tokens, d] each.
struct KeysAndValues {
  private(set) var keys: Tensor?
  private(set) var values: Tensor?

  mutating func append(_ k: Tensor, _ v: Tensor) {
    keys = keys.map { concatenate($0, k, axis: 1) } ?? k
    values = values.map { concatenate($0, v, axis: 1) } ?? v
  }
}
