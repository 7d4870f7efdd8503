import CKernels
import Tensors

/// The keys and values of the tokens so far, for the attention of one more token after the other.
///
/// Those of values in memory are written behind each other. Elsewhere tensors are joined.
final class KeysAndValues {
  private let attention: AttentionMeans
  private let room: Int
  private var tokens: [Tensor] = []
  private var cache: Storage?

  /// Room for so many tokens.
  init(_ attention: AttentionMeans, tokens: Int) { (self.attention, room) = (attention, (tokens + 3) & ~3) }

  /// The means for the next token, [rows, 1, 3 · channels].
  ///
  /// Those of finite values in memory have the bits of a causal pass over all tokens.
  func next(_ qkv: Tensor) -> Tensor {
    tokens.append(qkv)
    require(tokens.count <= room, "KeysAndValues has room for \(room) tokens")
    guard tokens.allSatisfy(\.isConcrete) else {
      return attention.means(concatenate(tokens, axis: 1), ofLastAlone: true)
    }
    let (rows, _, width) = attention.size(of: qkv.shape)
    let channels = attention.heads * width
    let y = Storage(shape: [rows, 1, channels], dtype: qkv.dtype)
    // A vector has 16 lanes at most, one for each row.
    let cache = cache ?? Storage(shape: [(rows + 15) & ~15, room, 2 * channels], dtype: qkv.dtype)
    self.cache = cache
    var form = attention.form(width)
    withScratch(16 * (2 * channels + room), qkv.dtype) {
      ck_attention_step(
        qkv.dtype.kernel, &form, rows, tokens.count - 1, room, qkv.storage.address, cache.address,
        y.address, $0)
    }
    return Tensor(y)
  }
}
