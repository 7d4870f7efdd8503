import Arguments
import Flows

/// A table of numbers from a file of any supported format, which its ending tells.
struct Table {
  let columns: [String]?
  let values: Tensor
  /// The context columns of a conditional model.
  var context: (columns: [String], values: Tensor)?

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - columns: The columns to read; the file must have a header.
  ///   - preferring: The columns to read if the file has a header with all of them.
  static func read(_ path: String, columns: [String]?, preferring: [String]? = nil, dtype: DType) throws
    -> Table
  {
    func wrong(_ message: String) -> FlowError { .inFile(path, message) }
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    guard ["npy", "npz"].contains(ending) else {
      let separator = separator(for: path)
      let bytes = try FileBytes.read(path)
      let names = try CSV.header(of: bytes, separator: separator, source: path)
      if separator == .comma, names.count == 1, names[0].contains(";") {
        throw wrong("expected fields with commas between them, got semicolons")
      }
      let wanted = columns ?? preferring.flatMap { Set($0).isSubset(of: names) ? $0 : nil }
      let table = try CSV.parse(
        bytes: bytes, header: wanted == nil ? .automatic : .present, columns: wanted, separator: separator,
        dtype: dtype, source: path)
      return Table(columns: table.names, values: table.values)
    }
    guard columns == nil else {
      throw UsageError("columns by name are those of .csv and .tsv files, not of \(path)")
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
      throw FlowError.inFile(
        path, row: position / values.shape[1] + 1, column: position % values.shape[1] + 1,
        "expected a finite number, got NaN or infinity")
    }
    return Table(columns: nil, values: values)
  }

  /// Reads the rows to fit, with the columns that `--columns`, `--without` and `--context` choose.
  static func read(_ path: String, choosing arguments: Arguments, dtype: DType) throws -> Table {
    func names(_ option: String) -> [String]? {
      arguments.value(option)?.split(separator: ",").map { $0.trimmed }
    }
    let (columns, without, context) = (names("columns"), names("without"), names("context") ?? [])
    if columns != nil, without != nil { throw UsageError("--columns and --without do not go together") }
    if let both = columns?.first(where: context.contains) {
      throw UsageError("--columns and --context both name \(both)")
    }
    if without != nil || !context.isEmpty {
      let all = try CSV.header(of: FileBytes.read(path), separator: separator(for: path), source: path)
      if let unknown = ((without ?? []) + context).first(where: { !all.contains($0) }) {
        throw FlowError.inFile(
          path, row: 1, "expected a column \(unknown), got \(all.prefix(20).joined(separator: ", "))")
      }
      let own = columns ?? all.filter { !(without ?? []).contains($0) && !context.contains($0) }
      guard !own.isEmpty else { throw UsageError("expected a column to fit, got none") }
      return try read(path, columns: own + context, dtype: dtype).split(after: own.count)
    }
    do {
      return try read(path, columns: columns, dtype: dtype)
    } catch FlowError.file(let path, let row?, let column?, let message)
      where columns == nil && message.hasPrefix("expected a number")
    {
      let hint = "; --columns and --without choose columns"
      throw FlowError.inFile(path, row: row, column: column, message + hint)
    }
  }

  /// Reads the rows and the standardized context for a model.
  ///
  /// A file with a header must name the model's columns. A conditional model needs a file with a header.
  static func read(_ path: String, for model: Model) throws -> (rows: Tensor, context: Tensor?) {
    if let given = model.given, let own = model.columns {
      let table = try read(path, columns: own + given.columns, dtype: model.dtype).split(after: own.count)
      return (table.values, table.context.map { given.standardized($0.values) })
    }
    let table = try read(path, columns: nil, preferring: model.columns, dtype: model.dtype)
    func wrong(_ expected: String, _ got: String) -> FlowError {
      .inFile(path, "expected \(expected), as the model was fitted to, got \(got)")
    }
    // Columns of other names are other quantities, even if their number is right. Without names the order
    // decides.
    if let own = model.columns, let found = table.columns, own != found {
      let missing = own.filter { !found.contains($0) }
      throw wrong("the columns \(own.joined(separator: ","))", "no \(missing.joined(separator: ","))")
    }
    guard table.values.shape[1] == model.width else {
      throw wrong(counted(model.width, "column"), "\(table.values.shape[1])")
    }
    return (table.values, nil)
  }

  /// The table with the columns after the first `count` as the context.
  private func split(after count: Int) -> Table {
    guard let columns, count < columns.count else { return self }
    return Table(
      columns: Array(columns[..<count]), values: values.sliced(axis: 1, 0..<count),
      context: (Array(columns[count...]), values.sliced(axis: 1, count..<columns.count)))
  }

  /// Writes rows to a file in the format that its ending tells.
  static func write(_ values: Tensor, columns: [String]?, to path: String) throws {
    if path.lowercased().hasSuffix(".npy") { return try NPY.write(values, to: path) }
    try CSV(names: columns, values: values).write(to: path, separator: separator(for: path))
  }

  /// The separator in a file, which its ending tells.
  private static func separator(for path: String) -> CSV.Separator {
    path.lowercased().hasSuffix(".tsv") || path.lowercased().hasSuffix(".tab") ? .tab : .comma
  }
}

extension Substring {
  /// The text without spaces at its ends.
  var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
