import Tensors

/// A table of numbers as text: one record a line, fields separated by commas.
///
/// ```swift
/// let table = try CSV.read("wine.csv", columns: ["alcohol", "hue"])
/// table.names    // ["alcohol", "hue"]
/// table.values   // a tensor of shape [178, 2]
/// ```
///
/// The format is RFC 4180's: fields may stand in double quotes, a quote inside is doubled, and a quoted field may hold
/// separators and line breaks. Lines end in LF, CRLF or CR; blank lines at the end and a UTF-8 byte order mark are
/// ignored, and so are spaces and tabs around a number or an unquoted name.
///
/// Reading is strict: whatever is not a finite decimal number in a column that was asked for is an error, which names
/// the line of the file and the position of the field in it, both counted from 1. Numbers are the nearest of their
/// dtype to the decimal text, so what ``write(to:separator:)`` wrote reads back bit for bit.
public struct CSV: Sendable {
  /// The columns' names, or nil for a table without a header.
  public let names: [String]?
  /// The numbers, shape [rows, columns].
  public let values: Tensor

  /// A table of `values` under `names`.
  ///
  /// - Precondition: `values` has two axes and `names`, if there are any, one name a column.
  public init(names: [String]? = nil, values: Tensor) {
    require(values.rank == 2, "a table has shape [rows, columns], got \(values.shape)")
    require(
      names == nil || names?.count == values.shape[1],
      "a table of shape \(values.shape) needs \(values.shape[1]) names, got \(names?.count ?? 0)")
    self.names = names
    self.values = values
  }

  /// Whether the first line holds the columns' names.
  public enum Header: Sendable, Hashable {
    /// It does if it holds text and not one number.
    case automatic
    /// It does.
    case present
    /// It does not: all lines hold numbers.
    case none
  }

  /// What stands between two fields.
  public enum Separator: UInt8, Sendable, Hashable {
    /// `,`
    case comma = 0x2C
    /// A tab, as in TSV.
    case tab = 0x09
    /// `;`
    case semicolon = 0x3B
  }
}
