import Tensors

extension CSV {
  /// Reads a table from a file.
  ///
  /// - Parameters:
  ///   - path: The file's path; `-` for standard input. A gzip file is expanded.
  ///   - header: Whether the first line holds the column names.
  ///   - columns: The names of the columns to read, in the order of the result. The other columns may hold
  ///     text. By default, all columns are read.
  ///   - separator: The character between two fields.
  ///   - dtype: The dtype of the result, float32 or float64.
  /// - Throws: `FlowError.file` if the file cannot be read, is empty, is not UTF-8 or has a misplaced quote.
  ///   The same if a column is missing or named twice, if records differ in length, or if a field is empty,
  ///   text, not finite or beyond the dtype's range.
  /// - Precondition: `dtype` is not int32, and `columns` is not empty.
  public static func read(
    _ path: String, header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32
  ) throws(FlowError) -> CSV {
    try parse(
      bytes: FileBytes.readContent(path), header: header, columns: columns, separator: separator,
      dtype: dtype,
      source: path)
  }

  /// Parses a table from a text, with the options and errors of ``read(_:header:columns:separator:dtype:)``.
  ///
  /// Errors name the text `source`.
  public static func parse(
    _ text: String, header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32, source: String = "text"
  ) throws(FlowError) -> CSV {
    try parse(
      bytes: Array(text.utf8), header: header, columns: columns, separator: separator, dtype: dtype,
      source: source)
  }

  /// Parses a table from the bytes of a file, as ``read(_:header:columns:separator:dtype:)`` does.
  ///
  /// Errors name the bytes `source`.
  public static func parse(
    bytes: [UInt8], header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32, source: String = "text"
  ) throws(FlowError) -> CSV {
    require(dtype.isFloatingPoint, "a table holds float32 or float64, not \(dtype)")
    require(columns?.isEmpty != true, "a table has at least one column, got an empty list of columns")
    var fields = CSVFields(bytes, separator: separator.rawValue, source: source)
    let layout = try CSVLayout(readingHeaderOf: &fields, header, columns)
    let values =
      dtype == .float32
      ? try layout.tensor(of: &fields, Float.self) : try layout.tensor(of: &fields, Double.self)
    return CSV(names: layout.names, values: values)
  }

  /// Reads the fields of the first record of a file; none for an empty file.
  package static func header(
    of bytes: [UInt8], separator: Separator, source: String
  ) throws(FlowError) -> [String] {
    var fields = CSVFields(bytes, separator: separator.rawValue, source: source)
    return fields.isAtEnd ? [] : try fields.record().map(fields.text)
  }
}
