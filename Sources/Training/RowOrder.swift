import Randomness
import Tensors

/// The numbers of rows in a random order, or a part of them.
///
/// Up to four million rows the order is that of `Key.permutation`, as a list. Above, it is a
/// `KeyedPermutation`, which takes no memory. The number of rows alone decides, so rows on the disk have the
/// order of rows in memory.
struct RowOrder: RandomAccessCollection, Sendable {
  /// The largest number of rows whose order is a list.
  @TaskLocal static var mostListed = 1 << 22

  let count: Int
  private let row: @Sendable (_ position: Int) -> Int

  /// All of some rows in an order drawn from a key.
  init(shuffling rows: some RandomAccessCollection<Int> & Sendable, by key: Key) {
    count = rows.count
    func at(_ position: Int) -> Int { rows[rows.index(rows.startIndex, offsetBy: position)] }
    if count <= Self.mostListed {
      let list = key.permutation(count).map(at)
      row = { list[$0] }
    } else {
      let order = KeyedPermutation(key, count: count)
      row = { rows[rows.index(rows.startIndex, offsetBy: order[$0])] }
    }
  }

  /// The rows of another order, but for those at some positions.
  init(_ other: RowOrder, without range: Range<Int>) {
    count = other.count - range.count
    row = { other[$0 < range.lowerBound ? $0 : $0 + range.count] }
  }

  /// The rows of another order, but for some.
  init(_ other: RowOrder, without rows: Set<Int>) {
    let list = other.filter { !rows.contains($0) }
    (count, row) = (list.count, { list[$0] })
  }

  var startIndex: Int { 0 }
  var endIndex: Int { count }

  subscript(position: Int) -> Int { row(position) }
}
