import Files
import Tensors

/// The schema of a table: its columns in order, with the kind of each, and all that turns rows of texts into
/// numbers for a model and back.
///
/// ```swift
/// let table = try TextTable.read("diamonds.csv")
/// var options = TableSchema.Options()
/// options.types = ["price": .integer]
/// let (schema, rows) = try TableSchema.infer(from: table, options: options)
/// let encoded = try schema.encode(table, rows: rows)
/// ```
///
/// A model of a table is one of codes and of real numbers:
///
/// | column | code | real number |
/// |---|---|---|
/// | text, boolean, constant, few different numbers | the level | none |
/// | numbers, dates | frequent values and missing ones, if there are any | the others |
///
/// A missing value is a code of its own, so a model learns its dependence on other columns. A number that
/// holds more than 5% of the rows is a code too: a density there would grow without bound. Numbers that are
/// rounded, such as whole ones, stand for cells with a probability. Numbers are mapped by a logarithm or
/// asinh where that makes them more like normal ones.
public struct TableSchema: Sendable, Hashable {
  /// The columns in the table's order.
  public let columns: [TableColumn]
  /// Whether the table has a header with the names.
  public let hasHeader: Bool

  init(_ columns: [TableColumn], hasHeader: Bool) { (self.columns, self.hasHeader) = (columns, hasHeader) }

  /// The names of the columns.
  public var names: [String] { columns.map(\.name) }

  /// The positions of the columns with codes, and of those with real numbers.
  var coded: [Int] { columns.indices.filter { columns[$0].hasCode } }
  var numbered: [Int] { columns.indices.filter { columns[$0].scale != nil } }

  /// The number of codes of each column with codes.
  var codeCounts: [Int] { coded.map { columns[$0].codeCount } }

  /// The number of columns of a row's real numbers.
  package var numberCount: Int { numbered.count }
  /// Whether the model has real numbers.
  package var hasNumbers: Bool { numberCount > 0 }
  /// The number of indicators of a row's codes.
  package var featureCount: Int { codeCounts.reduce(0, +) }

  /// The indicators of codes [rows, codes]: 1 at each code's place and 0 elsewhere, [rows, features].
  func features(_ codes: Tensor, dtype: DType) -> Tensor? {
    let counts = codeCounts
    return counts.isEmpty ? nil : indicators(codes.cast(to: dtype), counts)
  }

  /// The columns whose figure in a log-likelihood is a density; the others' are probabilities.
  public var columnsWithDensity: [String] {
    columns.filter { $0.scale?.step == 0 }.map(\.name)
  }

  /// Whether the log-likelihood of some rows is a lower bound: where numbers are cells, or may be absent.
  public var isBound: Bool {
    columns.contains { column in column.scale.map { $0.step > 0 || column.hasCode } ?? false }
  }
}

/// The indicators of each column's code: 1 at the code's place and 0 elsewhere.
func indicators(_ codes: Tensor, _ counts: [Int]) -> Tensor {
  let columns = counts.enumerated().map { j, count in
    codes.sliced(axis: 1, j..<j + 1) .== Tensor((0..<count).map(Double.init), dtype: codes.dtype)
  }
  return columns.count == 1 ? columns[0] : concatenate(columns, axis: 1)
}
