/// The quality of a synthetic table: the likeness of its columns and of their relations to the real ones.
///
/// ```swift
/// let tables = try ComparedTable.aligned([TextTable.read("real.csv"), TextTable.read("synthetic.csv")])
/// let quality = TableQuality(real: tables[0], synthetic: tables[1])
/// print(quality.score, quality.columnShapes, quality.pairTrends)
/// ```
///
/// Each column has a score: ``TableMetrics/ksComplement(_:_:)`` for numbers,
/// ``TableMetrics/tvComplement(_:_:)`` for categories. So does each pair:
/// ``TableMetrics/correlationSimilarity(real:synthetic:)`` for two columns of numbers,
/// ``TableMetrics/contingencySimilarity(real:synthetic:binning:)`` for others. The quality is the mean of the
/// two means. Scores without a value do not count.
///
/// The numbers are those of the `QualityReport` of sdmetrics 0.32. That report counts only pairs with a
/// strong relation in the real table: a correlation above 0.5, or Cramér's V above 0.3. It takes at most
/// 50,000 random rows for a pair with categories; this type takes all.
public struct TableQuality: Sendable {
  /// The likeness of one column.
  public struct Column: Sendable, Hashable {
    /// The column's name.
    public let name: String
    /// Whether the column holds numbers.
    public let isNumeric: Bool
    /// The likeness, from 0 to 1.
    public let score: Double
  }

  /// The likeness of the relation of two columns.
  public struct Pair: Sendable, Hashable {
    /// The positions of the columns.
    public let (first, second): (Int, Int)
    /// Whether both columns hold numbers.
    public let isNumeric: Bool
    /// The likeness, and the strength of the relation.
    public let trend: TableMetrics.PairScore
    /// Whether the relation in the real table is strong enough to count.
    public let isStrong: Bool
  }

  /// The strengths of a relation in the real table above which a pair counts.
  public struct Thresholds: Sendable, Hashable {
    /// The absolute correlation of two columns of numbers.
    public var correlation: Double
    /// Cramér's V of other columns.
    public var association: Double

    /// Thresholds of the strengths, by default those of sdmetrics 0.32. With 0 and 0 every pair counts, as in
    /// its earlier versions.
    public init(correlation: Double = 0.5, association: Double = 0.3) {
      (self.correlation, self.association) = (correlation, association)
    }
  }

  /// The columns, in the order of the tables.
  public let columns: [Column]
  /// The pairs of columns.
  public let pairs: [Pair]

  /// Compares two tables.
  ///
  /// - Precondition: The tables have the same columns.
  public init(
    real: ComparedTable, synthetic: ComparedTable, thresholds: Thresholds = Thresholds(),
    binning: TableMetrics.Binning = .ofEachTable
  ) {
    real.requireLike(synthetic)
    let values = zip(real.columns, synthetic.columns).map { ($0.values, $1.values) }
    columns = zip(real.columns, values).map { column, values in
      switch values {
      case (.numbers(let a), .numbers(let b)):
        Column(name: column.name, isNumeric: true, score: TableMetrics.ksComplement(a, b))
      case (.categories(let a), .categories(let b)):
        Column(name: column.name, isNumeric: false, score: TableMetrics.tvComplement(a, b))
      default: fatalError("tables of the same columns have kinds in common")
      }
    }
    let coded = values.map { TableMetrics.coded($0.0, $0.1, binning) }
    var pairs: [Pair] = []
    for i in values.indices {
      for j in values.indices.dropFirst(i + 1) {
        if case (.numbers(let x), .numbers(let xx)) = values[i],
          case (.numbers(let y), .numbers(let yy)) = values[j]
        {
          let trend = TableMetrics.correlationSimilarity(real: (x, y), synthetic: (xx, yy))
          // Threshold 0 leaves out a correlation of exactly 0, as the other package does.
          let isStrong = abs(trend.real) > thresholds.correlation
          pairs.append(Pair(first: i, second: j, isNumeric: true, trend: trend, isStrong: isStrong))
        } else {
          let trend = TableMetrics.contingency(coded[i], coded[j])
          let isStrong = thresholds.association <= 0 || trend.real > thresholds.association
          pairs.append(Pair(first: i, second: j, isNumeric: false, trend: trend, isStrong: isStrong))
        }
      }
    }
    self.pairs = pairs
  }

  /// The mean score of the columns.
  public var columnShapes: Double { columns.map(\.score).meanOfPresent }
  /// The mean score of the pairs with a strong relation; NaN if there are none.
  public var pairTrends: Double { pairs.filter(\.isStrong).map(\.trend.score).meanOfPresent }
  /// The mean score of all pairs.
  public var allPairTrends: Double { pairs.map(\.trend.score).meanOfPresent }
  /// The mean of column shapes and pair trends.
  public var score: Double { [columnShapes, pairTrends].meanOfPresent }
}
