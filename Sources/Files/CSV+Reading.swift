import Tensors

extension CSV {
  /// The table in a file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - header: Whether the first line holds the columns' names.
  ///   - columns: The columns wanted, in the order wanted; the others may hold text. By default all.
  ///   - separator: What stands between two fields.
  ///   - dtype: float32 or float64.
  /// - Throws: `FlowError.file`: a file that cannot be read or is empty, a missing or twofold column, a record longer or
  ///   shorter than the first, text, an empty field, NaN, infinity, a number beyond the dtype's range, a misplaced
  ///   quote, bytes that are not UTF-8.
  /// - Precondition: `dtype` is not int32, and `columns` not an empty array.
  public static func read(
    _ path: String, header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32
  ) throws(FlowError) -> CSV {
    try parse(
      bytes: FileBytes.read(path), header: header, columns: columns, separator: separator, dtype: dtype,
      source: path)
  }

  /// The table in a text. Errors call it `source`; the rest is as in ``read(_:header:columns:separator:dtype:)``.
  public static func parse(
    _ text: String, header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32, source: String = "text"
  ) throws(FlowError) -> CSV {
    try parse(
      bytes: Array(text.utf8), header: header, columns: columns, separator: separator, dtype: dtype,
      source: source)
  }

  /// The table in the bytes of a file. Errors call it `source`; the rest is as in
  /// ``read(_:header:columns:separator:dtype:)``.
  public static func parse(
    bytes: [UInt8], header: Header = .automatic, columns: [String]? = nil, separator: Separator = .comma,
    dtype: DType = .float32, source: String = "text"
  ) throws(FlowError) -> CSV {
    require(dtype.isFloatingPoint, "a table holds float32 or float64, not \(dtype)")
    require(columns?.isEmpty != true, "a table has at least one column, got an empty list of columns")
    var fields = CSVFields(bytes, separator: separator.rawValue, source: source)
    let layout = try CSVLayout(readingHeaderOf: &fields, header, columns)
    if dtype == .float32 {
      let numbers: [Float] = try layout.numbers(in: &fields)
      return CSV(names: layout.names, values: Tensor(floats: numbers, shape: layout.shape(of: numbers.count)))
    } else {
      let numbers: [Double] = try layout.numbers(in: &fields)
      return CSV(
        names: layout.names, values: Tensor(doubles: numbers, shape: layout.shape(of: numbers.count)))
    }
  }
}
