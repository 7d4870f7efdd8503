import Randomness
import Tensors

extension ComparedTable {
  /// At most a number of the rows, chosen at random in a random order.
  public func sample(_ key: Key, rows: Int) -> ComparedTable {
    choosing(Array(key.permutation(self.rows).prefix(max(rows, 1))))
  }

  /// A table of random rows, each value drawn by itself: the baseline of ``RecordDistances``.
  ///
  /// Numbers are uniform between the smallest and the largest. They are whole if all numbers of the column
  /// are whole and none is missing. Categories are uniform over those that occur. Values are missing with
  /// their frequency.
  public func random(_ key: Key, rows: Int) -> ComparedTable {
    ComparedTable(
      columns.enumerated().map { i, column in
        let own = key.folded(in: i)
        let u = own.folded(in: 0).uniform([rows], dtype: .float64).doubles
        let v = own.folded(in: 1).uniform([rows], dtype: .float64).doubles
        func isMissing(_ row: Int, _ missing: Int) -> Bool { v[row] * Double(self.rows) < Double(missing) }
        switch column.values {
        case .numbers(let values):
          let present = values.present
          let missing = values.count - present.count
          guard let low = present.min(), let high = present.max() else {
            return Column(column.name, .numbers(u.map { _ in .nan }), isTime: column.isTime)
          }
          let isWhole = missing == 0 && values.allSatisfy { $0.rounded() == $0 }
          let numbers = u.indices.map { row -> Double in
            if isMissing(row, missing) { return .nan }
            return isWhole
              ? min(low + (u[row] * (high - low + 1)).rounded(.down), high)
              : low * (1 - u[row]) + high * u[row]
          }
          return Column(column.name, .numbers(numbers), isTime: column.isTime)
        case .categories(let values):
          let present = Array(Set(values.compactMap { $0 })).sorted()
          let missing = values.count { $0 == nil }
          return Column(
            column.name,
            .categories(
              u.indices.map { row in
                isMissing(row, missing) || present.isEmpty
                  ? nil : present[min(Int(u[row] * Double(present.count)), present.count - 1)]
              }))
        }
      })
  }
}
