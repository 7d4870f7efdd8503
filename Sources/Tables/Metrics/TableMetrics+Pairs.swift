extension TableMetrics {
  /// The bins that turn numbers into categories.
  public enum Binning: Sendable, Hashable {
    /// Ten equal bins of each table's own range, as in the quality report of sdmetrics.
    ///
    /// A shift or a scale of the synthetic column makes no difference then; it counts in the column's shape.
    case ofEachTable
    /// Ten equal bins of the real column's range, the outer ones open, as in its `ContingencySimilarity`.
    case ofRealTable
  }

  /// The likeness of the relation of two columns, and the strength of the relation in the real table.
  public struct PairScore: Sendable, Hashable {
    /// The likeness, from 0 to 1; NaN if it has no value.
    public let score: Double
    /// The correlation, or Cramér's V, in the real table.
    public let real: Double
    /// The correlation in the synthetic table; NaN for other columns than numbers.
    public let synthetic: Double
  }

  /// The likeness of the correlations of two columns of numbers: 1 − ½ |ρ − ρ̂|.
  ///
  /// Rows with a missing value are left out. The score is NaN for a constant column, and for fewer than two
  /// rows.
  public static func correlationSimilarity(
    real: (x: [Double], y: [Double]), synthetic: (x: [Double], y: [Double])
  ) -> PairScore {
    for column in [real.x, real.y, synthetic.x, synthetic.y] where isConstant(column) {
      return PairScore(score: .nan, real: .nan, synthetic: .nan)
    }
    let (a, b) = (correlation(real.x, real.y), correlation(synthetic.x, synthetic.y))
    return PairScore(score: 1 - abs(a - b) / 2, real: a, synthetic: b)
  }

  private static func isConstant(_ values: [Double]) -> Bool {
    let present = values.present
    return !present.isEmpty && present.allSatisfy { $0 == present[0] }
  }

  /// Pearson's correlation over the rows without a missing value.
  static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let rows = x.indices.filter { !x[$0].isNaN && !y[$0].isNaN }
    if rows.count < 2 { return .nan }
    func centered(_ values: [Double]) -> [Double] {
      let own = rows.map { values[$0] }
      if own.allSatisfy({ $0 == own[0] }) { return own.map { _ in .nan } }
      let mean = own.reduce(0, +) / Double(own.count)
      // Deviations are scaled first, so that their squares neither overflow nor vanish.
      let deviations = own.map { $0 - mean }
      let largest = deviations.reduce(0) { max($0, abs($1)) }
      let scaled = deviations.map { $0 / largest }
      let norm = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return scaled.map { $0 / norm }
    }
    let r = zip(centered(x), centered(y)).reduce(0) { $0 + $1.0 * $1.1 }
    return r.isNaN ? r : min(max(r, -1), 1)
  }

  /// The likeness of the joint frequencies of two columns of categories: 1 − ½ Σ |P − P̂|.
  ///
  /// A missing value is a category of its own. Numbers are cut into bins; a missing one is in the bin of the
  /// largest number.
  public static func contingencySimilarity(
    real: (x: ComparedTable.Values, y: ComparedTable.Values),
    synthetic: (x: ComparedTable.Values, y: ComparedTable.Values), binning: Binning = .ofRealTable
  ) -> PairScore {
    contingency(coded(real.x, synthetic.x, binning), coded(real.y, synthetic.y, binning))
  }

  /// A column of both tables as codes.
  static func coded(
    _ real: ComparedTable.Values, _ synthetic: ComparedTable.Values, _ binning: Binning
  ) -> CodedColumn {
    switch (real, synthetic) {
    case (.numbers(let a), .numbers(let b)): CodedColumn(a, b, by: binning)
    case (.categories(let a), .categories(let b)): CodedColumn(a, b)
    case (.numbers(let a), .categories(let b)): CodedColumn(a.map(text), b)
    case (.categories(let a), .numbers(let b)): CodedColumn(a, b.map(text))
    }
  }

  private static func text(_ x: Double) -> String? { x.isNaN ? nil : spelled(x) }

  static func contingency(_ x: CodedColumn, _ y: CodedColumn) -> PairScore {
    guard x.isSound && y.isSound else { return PairScore(score: .nan, real: .nan, synthetic: .nan) }
    let real = joint(x.real, y.real, y.count)
    let synthetic = joint(x.synthetic, y.synthetic, y.count)
    let (n, m) = (Double(x.real.count), Double(x.synthetic.count))
    // Cells in rising order, so that the sum has one order.
    let cells = Set(real.keys).union(synthetic.keys).sorted()
    let distance = cells.reduce(0) { $0 + abs((real[$1] ?? 0) / n - (synthetic[$1] ?? 0) / m) }
    return PairScore(score: 1 - distance / 2, real: cramer(real, x, y), synthetic: .nan)
  }

  /// The number of rows in each cell; the cell of codes i and j is i · count + j.
  private static func joint(_ x: [Int], _ y: [Int], _ count: Int) -> [Int: Double] {
    var cells: [Int: Double] = [:]
    for (i, j) in zip(x, y) { cells[i * count + j, default: 0] += 1 }
    return cells
  }

  /// Cramér's V: the root of χ² / (n · (min(rows, columns) − 1)); NaN if a column has one category.
  private static func cramer(_ cells: [Int: Double], _ x: CodedColumn, _ y: CodedColumn) -> Double {
    let (rows, columns) = (counts(x.real, x.count), counts(y.real, y.count))
    let size = min(rows.count { $0 > 0 }, columns.count { $0 > 0 })
    if size < 2 { return .nan }
    let n = Double(x.real.count)
    // Empty cells add their expected counts, which are those that the other cells leave.
    var (squares, expected) = (0.0, 0.0)
    for cell in cells.keys.sorted() {
      let mean = rows[cell / y.count] * columns[cell % y.count] / n
      squares += (cells[cell]! - mean) * (cells[cell]! - mean) / mean
      expected += mean
    }
    return ((squares + max(n - expected, 0)) / n / Double(size - 1)).squareRoot()
  }
}
