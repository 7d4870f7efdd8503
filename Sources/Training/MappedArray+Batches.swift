import Files
import Randomness
import Tensors

extension MappedArray {
  /// The row numbers of one pass over all rows in an order drawn from the key, in batches; the last may be
  /// smaller.
  ///
  /// The order is a ``KeyedPermutation``: nothing as long as the data is ever in memory.
  ///
  /// - Precondition: a positive size.
  public func batches(of size: Int, key: Key) -> some Sequence<[Int]> {
    require(size > 0, "a batch has at least one row, got \(size)")
    let order = KeyedPermutation(key, count: shape[0])
    return stride(from: 0, to: order.count, by: size).lazy.map {
      Array(order[$0..<Swift.min($0 + size, order.count)])
    }
  }
}
