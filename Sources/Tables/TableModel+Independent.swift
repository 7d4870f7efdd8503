import Randomness
import Tensors

// The model of independent columns, to which a fit is compared on the same held-out rows.
extension TableModel {
  /// The mean log-likelihood of held-out rows' codes under the shares of the other rows, each count plus ½.
  static func independentCodes(_ schema: TableSchema, _ codes: Tensor, _ heldOut: [Int]) -> Double {
    guard !heldOut.isEmpty else { return -.infinity }
    var total = 0.0
    for (column, count) in schema.codeCounts.enumerated() {
      let own = codes.sliced(axis: 1, column..<column + 1).doubles.map { Int($0) }
      var counts = [Double](repeating: 0.5, count: count)
      for code in own { counts[code] += 1 }
      for row in heldOut { counts[own[row]] -= 1 }
      let shares = log(Tensor(counts, dtype: .float64) / counts.reduce(0, +)).doubles
      total += heldOut.reduce(0.0) { $0 + shares[own[$1]] }
    }
    return total / Double(heldOut.count)
  }

  /// The mean log-likelihood of held-out rows' numbers under normal distributions with the means and the
  /// deviations of each fold's other rows. Absent numbers count nothing.
  static func independentNumbers(_ rows: TableRows, _ folds: [[Int]]) -> Double {
    let (n, count) = (rows.intervals.shape[1] / 2, folds.reduce(0) { $0 + $1.count })
    guard count > 0 else { return -.infinity }
    let isPresent =
      1 - (rows.intervals.sliced(axis: 1, n..<2 * n) .< rows.intervals.sliced(axis: 1, 0..<n))
    let numbers = TableRows.numbers(Key(0), in: rows.intervals)
    var total = 0.0
    for fold in folds where !fold.isEmpty {
      let isHeldOut = Set(fold)
      let others = (0..<rows.count).filter { !isHeldOut.contains($0) }
      let (x, present) = (numbers.rows(others), isPresent.rows(others))
      let weight = maximum(present.sum(axis: 0), 1)
      let mean = (x * present).sum(axis: 0) / weight
      let variance = maximum((square(x - mean) * present).sum(axis: 0) / weight, 1e-12)
      let density =
        -0.5 * (square(numbers.rows(fold) - mean) / variance + log(variance)) - 0.91893853320467274
      total += ((density * isPresent.rows(fold)).sumPerRow() + rows.logScale.rows(fold)).sum().item
    }
    return total / Double(count)
  }
}
