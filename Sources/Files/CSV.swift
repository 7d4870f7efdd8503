import Tensors

/// A table of numbers in comma-separated values (CSV), one record per line.
///
/// ```swift
/// let table = try CSV.read("wine.csv", columns: ["alcohol", "hue"])
/// table.names    // ["alcohol", "hue"]
/// table.values   // a tensor of shape [178, 2]
/// ```
///
/// The format is that of RFC 4180. Fields may be enclosed in double quotes; a quote inside is doubled. A
/// quoted field may hold separators and line breaks. Lines end in LF, CRLF or CR. The reader ignores blank
/// lines at the end, a UTF-8 byte order mark, and spaces and tabs around a number or an unquoted name.
///
/// Reading is strict. Every field of a requested column must be a finite decimal number. An error states the
/// line of the file and the position of the field, both counted from 1. A number is rounded to the nearest
/// value of the dtype, so a table that ``write(to:separator:)`` has written reads back bit for bit. A number
/// that would become infinite, or 0 without being 0, is an error.
///
/// ``TextTable`` reads tables of texts and numbers, and finds the separator and the decimal mark.
public struct CSV: Sendable {
  /// The column names, or nil for a table without a header.
  public let names: [String]?
  /// The values, shape [rows, columns].
  public let values: Tensor

  /// Makes a table of values with optional column names.
  ///
  /// - Precondition: `values` has two axes, and `names` is nil or has one name per column.
  public init(names: [String]? = nil, values: Tensor) {
    require(values.rank == 2, "a table has shape [rows, columns], got \(values.shape)")
    require(
      names == nil || names?.count == values.shape[1],
      "a table of shape \(values.shape) needs \(values.shape[1]) names, got \(names?.count ?? 0)")
    (self.names, self.values) = (names, values)
  }

  /// The interpretation of the first line: as column names or as numbers.
  public enum Header: Sendable, Hashable {
    /// The first line holds names if it has text and no number.
    case automatic
    /// The first line holds names.
    case present
    /// All lines hold numbers.
    case none
  }

  /// The character between two fields.
  public enum Separator: UInt8, Sendable, Hashable {
    /// A comma.
    case comma = 0x2C
    /// A tab, as in TSV files.
    case tab = 0x09
    /// A semicolon.
    case semicolon = 0x3B
    /// A vertical bar.
    case pipe = 0x7C
  }

  /// The mark between the whole part and the fraction of a number.
  public enum DecimalMark: UInt8, Sendable, Hashable {
    /// A point, as in 1.5.
    case point = 0x2E
    /// A comma, as in 1,5.
    case comma = 0x2C
  }
}
