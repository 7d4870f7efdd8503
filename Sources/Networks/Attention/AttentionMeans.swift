import CKernels
import Tensors

/// The means that attention gives: softmax(q kᵀ / √d) v, head by head.
///
/// The input [rows, tokens, 3 · channels] holds queries, keys and values, each with d channels per head. The
/// result is [rows, tokens, channels]. The kernels keep the weights of a head in the cache and compute them
/// anew for the reverse pass.
struct AttentionMeans: FusedPrimitive {
  let heads: Int
  let isCausal: Bool

  func value(_ inputs: Operands) -> Operands {
    let qkv = inputs.storage(0)
    let (rows, tokens, width) = size(of: qkv.shape)
    let y = Storage(shape: [rows, tokens, heads * width], dtype: qkv.dtype)
    var form = form(width)
    withScratch(ck_attention_scratch(qkv.dtype.kernel, tokens, width), qkv.dtype) {
      ck_attention(qkv.dtype.kernel, &form, rows, tokens, qkv.address, y.address, $0)
    }
    return Operands(Tensor(y))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, qkv) = (g.storage(0), inputs.storage(0))
    let (rows, tokens, width) = size(of: qkv.shape)
    let result = Storage(like: qkv)
    var form = form(width)
    withScratch(ck_attention_scratch(qkv.dtype.kernel, tokens, width), qkv.dtype) {
      ck_attention_pullback(qkv.dtype.kernel, &form, rows, tokens, qkv.address, g.address, result.address, $0)
    }
    return Operands(Tensor(result))
  }

  func composed(_ inputs: Operands) -> Operands {
    Operands(means(inputs[0], ofLastAlone: false))
  }

  /// The means for all tokens, or for the last one alone, in other primitives.
  func means(_ qkv: Tensor, ofLastAlone: Bool) -> Tensor {
    let (rows, tokens, width) = size(of: qkv.shape)
    let queries = ofLastAlone ? 1 : tokens
    func split(_ i: Int, _ seen: Range<Int>) -> Tensor {
      let part = qkv.sliced(axis: 1, seen).sliced(axis: 2, i * heads * width..<(i + 1) * heads * width)
      if heads == 1 { return part }
      return part.reshaped(to: [rows, seen.count, heads, width]).permuted(axes: [0, 2, 1, 3])
        .reshaped(to: [rows * heads, seen.count, width])
    }
    let (q, k) = (split(0, tokens - queries..<tokens), split(1, 0..<tokens))
    var scores = batchedMatmul(q, k, transposeB: true) * form(width).factor
    if isCausal && queries > 1 { scores = scores + Self.laterTokens(tokens, qkv.dtype) }
    let means = batchedMatmul(scores.softmax(axis: -1), split(2, 0..<tokens))
    if heads == 1 { return means }
    return means.reshaped(to: [rows, heads, queries, width]).permuted(axes: [0, 2, 1, 3])
      .reshaped(to: [rows, queries, heads * width])
  }

  func size(of qkv: Shape) -> (rows: Int, tokens: Int, width: Int) { (qkv[0], qkv[1], qkv[2] / 3 / heads) }

  /// The heads, of a width.
  func form(_ width: Int) -> ck_heads {
    ck_heads(heads: heads, width: width, factor: 1 / Double(width).squareRoot(), causal: isCausal)
  }

  /// −∞ for each token after a token, 0 elsewhere.
  private static func laterTokens(_ count: Int, _ dtype: DType) -> Tensor {
    let numbers = (0..<count * count).map { $0 % count > $0 / count ? -Double.infinity : 0 }
    return Tensor(numbers, shape: [count, count], dtype: dtype)
  }
}

extension AttentionMeans: RowwisePrimitive {}
