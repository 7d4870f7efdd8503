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
    let (qkv, size) = (inputs.storage(0), size(of: inputs.storage(0).shape))
    let y = Storage(shape: qkv.shape.replacing(-1, by: heads * size.width), dtype: qkv.dtype)
    withScratch(ck_attention_scratch(qkv.dtype.kernel, size.tokens, size.width), qkv.dtype) {
      ck_attention(
        qkv.dtype.kernel, isCausal, factor(size.width), size.rows, size.tokens, heads, size.width,
        qkv.address, y.address, $0)
    }
    return Operands(Tensor(y))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (qkv, size) = (inputs.storage(0), size(of: inputs.storage(0).shape))
    let (g, result) = (g.storage(0), Storage(like: qkv))
    withScratch(ck_attention_scratch(qkv.dtype.kernel, size.tokens, size.width), qkv.dtype) {
      ck_attention_pullback(
        qkv.dtype.kernel, isCausal, factor(size.width), size.rows, size.tokens, heads, size.width,
        qkv.address, g.address, result.address, $0)
    }
    return Operands(Tensor(result))
  }

  func composed(_ inputs: Operands) -> Operands {
    Operands(means(inputs[0], queries: inputs[0].shape[1]))
  }

  /// The means for the last `queries` tokens, in other primitives.
  func means(_ qkv: Tensor, queries: Int) -> Tensor {
    let (rows, tokens, width) = size(of: qkv.shape)
    func split(_ i: Int, _ seen: Range<Int>) -> Tensor {
      let part = qkv.sliced(axis: 1, seen).sliced(axis: 2, i * heads * width..<(i + 1) * heads * width)
      if heads == 1 { return part }
      return part.reshaped(to: [rows, seen.count, heads, width]).permuted(axes: [0, 2, 1, 3])
        .reshaped(to: [rows * heads, seen.count, width])
    }
    let (q, k) = (split(0, tokens - queries..<tokens), split(1, 0..<tokens))
    var scores = batchedMatmul(q, k, transposeB: true) * factor(width)
    if isCausal && queries > 1 { scores = scores + Self.laterTokens(tokens, qkv.dtype) }
    let means = batchedMatmul(scores.softmax(axis: -1), split(2, 0..<tokens))
    if heads == 1 { return means }
    return means.reshaped(to: [rows, heads, queries, width]).permuted(axes: [0, 2, 1, 3])
      .reshaped(to: [rows, queries, heads * width])
  }

  func size(of qkv: Shape) -> (rows: Int, tokens: Int, width: Int) { (qkv[0], qkv[1], qkv[2] / 3 / heads) }
  func factor(_ width: Int) -> Double { 1 / Double(width).squareRoot() }

  /// −∞ for each token after a token, 0 elsewhere.
  private static func laterTokens(_ count: Int, _ dtype: DType) -> Tensor {
    let numbers = (0..<count * count).map { $0 % count > $0 / count ? -Double.infinity : 0 }
    return Tensor(numbers, shape: [count, count], dtype: dtype)
  }
}

extension AttentionMeans: RowwisePrimitive {}
