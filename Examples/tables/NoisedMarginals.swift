import Flows
import Foundation

/// Independent columns from noised histograms, the baseline that private models have to beat.
///
/// One row adds 1 to one bin of each column. So the counts of all columns change by √columns in norm, and one
/// Gaussian mechanism covers them.
struct NoisedMarginals {
  private let columns: [(column: TableColumn, bins: [String?], counts: [Double])]
  private static let bins = 20

  /// Counts with noise for an (ε, δ) of all columns.
  init(
    _ table: TextTable, _ schema: TableSchema, epsilon: Double, delta: Double, noise: NoiseSource
  ) throws {
    let multiplier = try PLDAccountant().noiseMultiplier(epsilon: epsilon, delta: delta, rate: 1, steps: 1)
    let deviation = multiplier * Double(schema.columns.count).squareRoot()
    columns = schema.columns.map { column in
      let position = table.names.firstIndex(of: column.name)!
      let bins = Self.names(of: column)
      var counts = [Double](repeating: 0, count: bins.count)
      for row in 0..<table.rows {
        counts[Self.bin(table.text(row: row, column: position), column, bins)] += 1
      }
      let noised = zip(counts, noise.gaussians(counts.count, deviation: deviation)).map { max($0 + $1, 0) }
      return (column, bins, noised)
    }
  }

  /// Draws each column by itself: a bin by its count, and a number anywhere in the bin.
  func text(_ key: Key, count: Int) -> String {
    var texts: [[String]] = []
    for (i, (column, bins, counts)) in columns.enumerated() {
      let own = key.folded(in: i)
      let logits = log(Tensor(counts.map { $0 + 1e-9 }, dtype: .float64))
      let chosen = own.folded(in: 0).categorical(logits: logits, count: count).ints
      let places = own.folded(in: 1).uniform([count], dtype: .float64).doubles
      texts.append(
        zip(chosen, places).map { bin, place in
          guard let name = bins[bin] else { return column.missing ?? "" }
          if !column.levels.isEmpty { return name }
          return column.text(of: column.number(at: (Double(bin) + place) / Double(Self.bins)))
        })
    }
    let rows = (0..<count).map { row in texts.map { $0[row] }.joined(separator: ",") }
    return ([columns.map(\.column.name).joined(separator: ",")] + rows).joined(separator: "\n") + "\n"
  }

  /// The levels of a column, or the numbers of its bins; nil for missing values, the last.
  private static func names(of column: TableColumn) -> [String?] {
    let own = column.levels.isEmpty ? (0..<bins).map { "\($0)" } : column.levels
    return own + (column.missing == nil ? [] : [nil])
  }

  private static func bin(_ text: String, _ column: TableColumn, _ names: [String?]) -> Int {
    if text == column.missing { return names.count - 1 }
    if let level = column.levels.firstIndex(of: text) { return level }
    let place = column.place(of: Double(text) ?? 0)
    return min(max(Int(place * Double(bins)), 0), bins - 1)
  }
}

extension TableColumn {
  /// The share of the way between the bounds at which a number lies, of logarithms where these are modelled.
  fileprivate func place(of number: Double) -> Double {
    let ends = bounds!
    let inside = min(max(number, ends.lowerBound), ends.upperBound)
    return isLogarithmic
      ? log(inside / ends.lowerBound) / log(ends.upperBound / ends.lowerBound)
      : (inside - ends.lowerBound) / (ends.upperBound - ends.lowerBound)
  }

  /// The number at a share of the way.
  fileprivate func number(at place: Double) -> Double {
    let ends = bounds!
    return isLogarithmic
      ? ends.lowerBound * exp(place * log(ends.upperBound / ends.lowerBound))
      : ends.lowerBound + place * (ends.upperBound - ends.lowerBound)
  }
}
