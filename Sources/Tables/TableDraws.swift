import Files
import Tensors

/// Rows of texts that a model of a table has drawn.
public struct TableDraws: Sendable {
  /// The schema of the table.
  public let schema: TableSchema
  /// The texts of each column, nil for missing values.
  public let columns: [[String?]]
  /// The effective number of the weighted draws among which the rows were drawn; nil where all weights are
  /// equal and the draws are exact.
  public let effectiveSampleSize: Double?
  /// The log-likelihood of the given values, as the draws estimate it; nil where nothing is given.
  ///
  /// It is in the units of `TableModel.logLikelihood`: levels and rounded numbers count with their
  /// probability, other numbers with their density in the data's units.
  public let givenLogLikelihood: Double?
  /// The same, where all given numbers count with their density in the flow's units.
  package let givenLogLikelihoodOfFlow: Double?

  /// The number of rows.
  public var count: Int { columns.first?.count ?? 0 }

  /// The texts of a row, with the schema's marks of missing values.
  public func row(_ i: Int) -> [String] {
    zip(columns, schema.columns).map { $0[i] ?? $1.missing ?? "" }
  }

  /// The table as text, with a header if the model's table had one. Texts are in quotes where they need them.
  public func text(separator: CSV.Separator = .comma) -> String { text(separator: separator, header: true) }

  /// The table as text, with a header if it is asked for and the model's table had one.
  package func text(separator: CSV.Separator, header: Bool) -> String {
    let mark = String(UnicodeScalar(separator.rawValue))
    let names = schema.names.map { CSV.quoted($0, separator: separator) }.joined(separator: mark)
    var lines = header && schema.hasHeader ? [names] : []
    for i in 0..<count {
      let fields = zip(columns, schema.columns).map { texts, column in
        texts[i].map { CSV.quoted($0, separator: separator) } ?? column.missing ?? ""
      }
      lines.append(fields.joined(separator: mark))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes the table to a file atomically.
  ///
  /// - Throws: `FlowError.file` if the file cannot be written.
  public func write(to path: String, separator: CSV.Separator = .comma) throws(FlowError) {
    try FileBytes.write(Array(text(separator: separator).utf8), to: path)
  }
}
