import Arguments
import Files
import Flows

/// Rows of numbers from a file of any kind that the library reads, by its name's ending.
struct Table {
  let columns: [String]?
  let values: Tensor

  /// The rows of a file.
  ///
  /// - Parameters:
  ///   - columns: the columns wanted, for files that name them.
  ///   - preferring: columns to take where the file has a header with all of them.
  static func read(_ path: String, columns: [String]?, preferring: [String]? = nil, dtype: DType) throws
    -> Table
  {
    func wrong(_ message: String) -> FlowError { .file(path: path, row: nil, column: nil, message: message) }
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard ["npy", "npz"].contains(ending) else {
      let separator: CSV.Separator = ending == "tsv" || ending == "tab" ? .tab : .comma
      let bytes = try FileBytes.read(path)
      var wanted = columns
      if wanted == nil, let preferring {
        wanted = names(in: bytes, separator, include: preferring) ? preferring : nil
      }
      let table = try CSV.parse(
        bytes: bytes, header: wanted == nil ? .automatic : .present, columns: wanted, separator: separator,
        dtype: dtype, source: path)
      return Table(columns: table.names, values: table.values)
    }
    guard columns == nil else {
      throw UsageError("--columns goes with .csv and .tsv files, not with \(path)")
    }
    let values: Tensor
    if ending == "npy" {
      values = try NPY.read(path, dtype: dtype)
    } else {
      let members = try NPZ.read(path, dtype: dtype).members
      guard members.count == 1 else {
        throw wrong("expected an archive of one array, got \(members.map(\.name).joined(separator: ", "))")
      }
      values = members[0].value
    }
    guard values.rank == 2, values.count > 0 else {
      throw wrong("expected an array of shape [rows, columns], got \(values.shape)")
    }
    if let position = values.firstNonFinite {
      throw FlowError.file(
        path: path, row: position / values.shape[1] + 1, column: position % values.shape[1] + 1,
        message: "expected a finite number, got NaN or infinity")
    }
    return Table(columns: nil, values: values)
  }

  /// The rows a model can score: its own columns, where the file names them.
  static func read(_ path: String, for model: Model) throws -> Tensor {
    let values = try read(path, columns: nil, preferring: model.columns, dtype: model.dtype).values
    guard values.shape[1] == model.width else {
      throw FlowError.file(
        path: path, row: nil, column: nil,
        message: "expected \(model.width) columns, as the model was fitted to, got \(values.shape[1])")
    }
    return values
  }

  /// Writes rows to a file, by its name's ending.
  static func write(_ values: Tensor, columns: [String]?, to path: String) throws {
    if path.hasSuffix(".npy") { return try NPY.write(values, to: path) }
    let separator: CSV.Separator = path.hasSuffix(".tsv") ? .tab : .comma
    try CSV(names: columns, values: values).write(to: path, separator: separator)
  }

  /// Whether the first line of a text has all of these names.
  private static func names(in bytes: [UInt8], _ separator: CSV.Separator, include names: [String]) -> Bool {
    let header = String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0x0D }, as: UTF8.self)
    let mark = Character(UnicodeScalar(separator.rawValue))
    return Set(names).isSubset(
      of: header.split(separator: mark, omittingEmptySubsequences: false).map(\.trimmed))
  }
}

extension Substring {
  /// Without blanks and quotes at the ends.
  fileprivate var trimmed: String {
    var text = self
    while let last = text.last, " \t\"\r\u{FEFF}".contains(last) { text.removeLast() }
    while let first = text.first, " \t\"\u{FEFF}".contains(first) { text.removeFirst() }
    return String(text)
  }
}
