import Arguments
import Flows

/// The content of the files of a table, before columns are chosen.
enum TableFile {
  case texts(TextTable)
  case array(Tensor, source: String)

  /// The options that say how to read tables.
  static let options: [Arguments.Option] = [
    .init("separator", "NAME", "comma, semicolon, tab or pipe between fields; found by default"),
    .init("decimal", "NAME", "point or comma before a fraction; found by default"),
    .init("header", "NAME", default: "auto", "yes or no: whether row 1 holds names; auto: if it holds text"),
    .init("array", "NAME", "the array of an .npz file to read; FILE.npz:NAME does the same"),
  ]

  /// Reads files of any supported format and puts their rows below each other.
  ///
  /// The path `-` is standard input. The content tells the format.
  ///
  /// - Parameter known: Names that a header is known to have.
  static func read(
    _ paths: [String], _ arguments: Arguments, known: [String] = [], noting notices: Notices
  ) throws -> TableFile {
    let options = try textOptions(arguments, known)
    var (tables, arrays): ([TextTable], [(Tensor, String)]) = ([], [])
    for path in paths {
      switch try read(path, options, array: arguments.value("array")) {
      case .texts(let table): tables.append(table)
      case .array(let values, let source): arrays.append((values, source))
      }
    }
    guard tables.isEmpty || arrays.isEmpty else {
      throw UsageError("tables as text and as arrays do not go together")
    }
    if let (first, source) = arrays.first {
      if let other = arrays.first(where: { $0.0.shape[1] != first.shape[1] }) {
        throw FlowError.inFile(
          other.1, "expected \(first.shape[1]) columns, as in \(source), got \(other.0.shape[1])")
      }
      return .array(arrays.count == 1 ? first : concatenate(arrays.map { $0.0 }, axis: 0), source: source)
    }
    let table = try TextTable.joined(tables)
    remark(on: tables, notices)
    return .texts(table)
  }

  private static func read(_ path: String, _ options: TextTable.Options, array: String?) throws -> TableFile {
    var (path, array) = (path, array)
    if array == nil, let end = path.firstRange(of: ".npz:") {
      array = String(path[end.upperBound...])
      path = String(path[..<end.lowerBound]) + ".npz"
    }
    let source = FileBytes.displayed(path)
    let bytes = try FileBytes.readContent(path)
    let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
    if array != nil || ending == "npz" {
      return .array(try member(array, of: bytes, source), source: source)
    }
    if ending == "npy" || bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
      return .array(
        try rows(of: NPY.parse(bytes: bytes, dtype: .float64, source: source), source), source: source)
    }
    do throws(FlowError) {
      return .texts(try TextTable.parse(bytes: bytes, options: options.completed(for: path), source: source))
    } catch {
      throw advised(error)
    }
  }

  /// An error with advice where a row has another number of fields.
  private static func advised(_ error: FlowError) -> FlowError {
    guard case .file(let path, let row, let column, let message) = error, message.contains(", as in row ")
    else {
      return error
    }
    let advice = "repair the row, or say what is between fields by --separator"
    return .inFile(path, row: row, column: column, "\(message); \(advice)")
  }

  /// An array of an archive: the one with a name, or the only one.
  private static func member(_ name: String?, of bytes: [UInt8], _ source: String) throws -> Tensor {
    let members = try NPZ.parse(bytes: bytes, dtype: .float64, source: source).members
    let names = members.map(\.name).joined(separator: ", ")
    if let name {
      guard let found = members.first(where: { $0.name == name }) else {
        throw FlowError.inFile(source, "expected an array \(name), got \(names.isEmpty ? "none" : names)")
      }
      return try rows(of: found.value, source)
    }
    guard members.count == 1 else {
      throw FlowError.inFile(
        source,
        members.isEmpty
          ? "expected an archive of an array, got none"
          : "expected an archive of one array, got \(names); choose one by --array NAME")
    }
    return try rows(of: members[0].value, source)
  }

  /// The rows of an array. A vector is one column.
  private static func rows(of values: Tensor, _ source: String) throws -> Tensor {
    let rows = values.rank == 1 ? values.expanded(axis: 1) : values
    guard rows.rank == 2, rows.count > 0 else {
      throw FlowError.inFile(
        source,
        "expected an array of shape [rows, columns] or [rows] with at least one number, got \(values.shape)")
    }
    return rows
  }

  private static func textOptions(
    _ arguments: Arguments, _ known: [String]
  ) throws(UsageError) -> TextTable.Options {
    var options = TextTable.Options()
    let signs: [String: CSV.Separator] = [",": .comma, ";": .semicolon, "\t": .tab, "|": .pipe]
    if let text = arguments.value("separator") {
      let names: KeyValuePairs<String, CSV.Separator> = [
        "comma": .comma, "semicolon": .semicolon, "tab": .tab, "pipe": .pipe,
      ]
      let sign = signs[text]
      options.separator = sign == nil ? try arguments.value("separator", from: names) : sign
    }
    if arguments.value("decimal") != nil {
      options.decimalMark = try arguments.value(
        "decimal", from: ["point": .point, "comma": .comma] as KeyValuePairs<String, CSV.DecimalMark>)
    }
    options.header = try arguments.value(
      "header", from: ["auto": CSV.Header.automatic, "yes": .present, "no": CSV.Header.none])
    options.knownNames = known
    return options
  }

  /// Warns of remarks on files, one line for each kind with the files that have it.
  private static func remark(on tables: [TextTable], _ notices: Notices) {
    for remark in [TextTable.Remark.noHeader, .numbersInHeader, .decimalComma] {
      let files = tables.filter { $0.remarks.contains(remark) }.map { $0.origin(ofRow: 0).file }
      if files.isEmpty { continue }
      let more = files.count > 3 ? " and \(files.count - 3) more files" : ""
      let source = files.prefix(3).joined(separator: ", ") + more
      switch remark {
      case .noHeader:
        notices.warn(
          "\(source) \(files.count > 1 ? "have" : "has") no header: row 1 is data, because it holds numbers; "
            + "--header yes takes it as names, --header no confirms it")
      case .numbersInHeader:
        notices.warn(
          "\(source): row 1 is taken as names, because it has text above numbers, although it holds numbers "
            + "too; --header no takes it as data, --header yes confirms it")
      case .decimalComma:
        notices.warn("\(source): numbers are read with a comma as the decimal mark; --decimal changes it")
      }
    }
  }
}

extension TableFile {
  /// The names of the columns; `#n` for column n without one.
  var names: [String] {
    switch self {
    case .texts(let table): table.names
    case .array(let values, _): (1...values.shape[1]).map { "#\($0)" }
    }
  }

  /// Whether the names are those of a header.
  var hasNames: Bool { if case .texts(let table) = self { table.hasHeader } else { false } }

  /// The first file, for messages.
  var source: String {
    switch self {
    case .texts(let table): table.origin(ofRow: 0).file
    case .array(_, let source): source
    }
  }

  /// The columns that hold no data, such as one that numbers the rows.
  var incidental: [Int: TextTable.Incidental] {
    if case .texts(let table) = self { table.incidental } else { [:] }
  }

  /// The numbers of some columns as float64.
  func numbers(_ columns: [Int]) throws(FlowError) -> Tensor {
    switch self {
    case .texts(let table): return try table.numbers(columns: columns)
    case .array(let values, _):
      let isWhole = columns == Array(0..<values.shape[1])
      let chosen = isWhole ? values : values.gathered(Tensor(ints: columns), axis: 1)
      if let position = chosen.firstNonFinite {
        let (row, column) = (position / columns.count, columns[position % columns.count])
        throw error(row: row, column: column, "expected a finite number, got NaN or infinity")
      }
      return chosen
    }
  }

  /// The file of a row, and its row there as messages count it.
  func origin(ofRow row: Int) -> (file: String, row: Int) {
    if case .texts(let table) = self {
      let (file, line) = table.origin(ofRow: row)
      return (file, line)
    }
    return (source, row + 1)
  }

  /// An error at a field.
  func error(row: Int, column: Int, _ message: String) -> FlowError {
    if case .texts(let table) = self { return table.error(row: row, column: column, message) }
    return .inFile(source, row: row + 1, column: column + 1, message)
  }
}
