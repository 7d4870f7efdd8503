import Tensors

/// The columns of a table that is compared with another: numbers or categories, with missing values.
///
/// Tables that are compared have the same columns in the same order, of the same kinds. Files give such
/// tables by ``ComparedTable/aligned(_:categorical:without:)``.
public struct ComparedTable: Sendable {
  /// The values of a column.
  public enum Values: Sendable {
    /// Numbers; NaN stands for a missing one.
    case numbers([Double])
    /// Categories; nil stands for a missing one.
    case categories([String?])

    /// The numbers; empty for categories.
    var numbers: [Double] { if case .numbers(let values) = self { values } else { [] } }
    /// The categories; empty for numbers.
    var categories: [String?] { if case .categories(let values) = self { values } else { [] } }

    var count: Int {
      switch self {
      case .numbers(let values): values.count
      case .categories(let values): values.count
      }
    }
  }

  /// A column with its name.
  public struct Column: Sendable {
    /// The name.
    public let name: String
    /// The value of each row.
    public let values: Values
    /// Whether the numbers are nanoseconds since 1970, as pandas has times.
    public let isTime: Bool

    /// A column.
    public init(_ name: String, _ values: Values, isTime: Bool = false) {
      (self.name, self.values, self.isTime) = (name, values, isTime)
    }
  }

  /// The columns.
  public let columns: [Column]
  /// The number of rows.
  public let rows: Int

  /// A table of columns.
  ///
  /// - Precondition: There is a column, and all have the same number of values, at least one.
  public init(_ columns: [Column]) {
    let rows = columns.first?.values.count ?? 0
    require(
      rows > 0 && columns.allSatisfy { $0.values.count == rows },
      "a compared table has rows and columns of one length, got \(columns.map(\.values.count))")
    (self.columns, self.rows) = (columns, rows)
  }

  /// Stops unless another table has the same columns.
  func requireLike(_ other: ComparedTable) {
    let isAlike =
      columns.count == other.columns.count
      && zip(columns, other.columns).allSatisfy { a, b in
        switch (a.values, b.values) {
        case (.numbers, .numbers), (.categories, .categories): a.name == b.name
        default: false
        }
      }
    require(
      isAlike,
      "compared tables have the same columns, got \(columns.map(\.name)) and \(other.columns.map(\.name))")
  }

  /// Some of the rows, in a given order.
  func choosing(_ rows: [Int]) -> ComparedTable {
    ComparedTable(
      columns.map { column in
        switch column.values {
        case .numbers(let values):
          Column(column.name, .numbers(rows.map { values[$0] }), isTime: column.isTime)
        case .categories(let values): Column(column.name, .categories(rows.map { values[$0] }))
        }
      })
  }
}

/// Measures of the likeness of a real and a synthetic table.
///
/// Their values are those of the Python package sdmetrics 0.32. A measure that has no value is NaN.
public enum TableMetrics {}

extension [Double] {
  /// The values that are not missing.
  var present: [Double] { filter { !$0.isNaN } }

  /// The median; NaN without values.
  var median: Double {
    if isEmpty { return .nan }
    let values = sorted()
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2
  }

  /// The mean of the values that are not NaN; NaN without any.
  var meanOfPresent: Double { present.reduce(0, +) / Double(present.count) }
}
