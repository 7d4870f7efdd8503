import Arguments
import FittedModels
import Flows

/// The columns of a table that a command works on.
struct Table {
  /// The names, or nil if the file has none and none was chosen.
  let columns: [String]?
  /// The numbers in float64.
  let values: Tensor
  /// The context columns of a conditional model.
  var context: (columns: [String], values: Tensor)?
  /// The files that they come from, and the position there of each column and context column.
  let file: TableFile
  let positions: [Int]

  /// The columns to fit of some files.
  struct Choice {
    let file: TableFile
    let own, context: [String]
    let isNamed: Bool
  }

  /// Reads the numbers of chosen columns.
  init(_ choice: Choice) throws {
    try self.init(
      choice.own, given: choice.context, isNamed: choice.isNamed, of: choice.file, canLeaveOut: true)
  }

  /// Reads files, and chooses columns as `--columns`, `--without` and `--context` say.
  static func choose(_ arguments: Arguments, noting notices: Notices) throws -> Choice {
    let (columns, without) = (try names("columns", arguments), try names("without", arguments))
    let context = try names("context", arguments) ?? []
    if columns != nil, without != nil { throw UsageError("--columns and --without do not go together") }
    if let both = columns?.first(where: context.contains) {
      throw UsageError("--columns and --context both name \(both)")
    }
    let asked = (columns ?? []) + (without ?? []) + context
    let file = try TableFile.read(
      arguments.operands, arguments, known: asked.filter { !$0.hasPrefix("#") }, noting: notices)
    let all = file.names
    let known = Set(all)
    if let unknown = asked.first(where: { !known.contains($0) }) {
      throw file.missing([unknown])
    }
    let isWhole = columns == nil && without == nil && context.isEmpty
    let others = Set((without ?? []) + context)
    let own =
      columns
      ?? all.indices.filter { !others.contains(all[$0]) && file.incidental[$0] == nil }.map { all[$0] }
    guard !own.isEmpty else { throw UsageError("expected a column to fit, got none") }
    if columns == nil { warn(of: file, except: (without ?? []) + context, notices) }
    return Choice(file: file, own: own, context: context, isNamed: file.hasNames || !isWhole)
  }

  /// Reads rows for a model. Columns with names are found by name, others by their order.
  ///
  /// - Parameter others: columns of the files that are not the model's.
  static func read(
    _ paths: [String], for model: Model, besides others: [String] = [], _ arguments: Arguments,
    noting notices: Notices
  ) throws -> Table {
    let context = model.given?.columns ?? []
    let file = try TableFile.read(
      paths, arguments, known: (model.columns ?? []) + context + others, noting: notices)
    if let own = model.columns, file.hasNames || Set(own + context).isSubset(of: file.names) {
      let found = Set(file.names)
      let missing = (own + context).filter { !found.contains($0) }
      guard missing.isEmpty else {
        throw FlowError.inFile(
          file.source,
          "expected the columns \((own + context).joined(separator: ",")), as the model was fitted to, "
            + "got no \(missing.joined(separator: ","))")
      }
      return try Table(own, given: context, isNamed: true, of: file, canLeaveOut: false)
    }
    guard context.isEmpty else {
      throw FlowError.inFile(
        file.source, "expected a header with the columns \(context.joined(separator: ",")), got no names")
    }
    let own = file.names.indices.filter { file.incidental[$0] == nil }.map { file.names[$0] }
      .filter { !others.contains($0) }
    guard own.count == model.width else {
      throw FlowError.inFile(
        file.source,
        "expected \(counted(model.width, "column")), as the model was fitted to, got \(own.count)")
    }
    return try Table(own, given: [], isNamed: file.hasNames, of: file, canLeaveOut: false)
  }

  /// Reads the numbers of some columns. An error at a field says what to do, such as leaving out its column.
  private init(
    _ own: [String], given context: [String], isNamed: Bool, of file: TableFile, canLeaveOut: Bool
  ) throws {
    let names = own + context
    var seen: Set<String> = []
    if let twice = names.first(where: { !seen.insert($0).inserted }) {
      throw UsageError("expected each column once, got \(twice) twice")
    }
    let all = Dictionary(zip(file.names, file.names.indices)) { first, _ in first }
    positions = names.map { all[$0]! }
    let values = try file.numbers(positions, canLeaveOut: canLeaveOut)
    self.file = file
    columns = isNamed ? own : nil
    self.values = context.isEmpty ? values : values.sliced(axis: 1, 0..<own.count)
    if !context.isEmpty { self.context = (context, values.sliced(axis: 1, own.count..<names.count)) }
  }

  /// The name of a column for messages.
  func name(_ column: Int) -> String { file.names[positions[column]] }

  /// An error at a field of a column.
  func error(row: Int, column: Int, _ message: String) -> FlowError {
    file.error(row: row, column: positions[column], message)
  }

  /// The names in an option, separated by commas. A name with a comma is in quotes, as in a CSV file.
  static func names(_ option: String, _ arguments: Arguments) throws(UsageError) -> [String]? {
    guard let text = arguments.value(option) else { return nil }
    return try fields(of: text, in: option)
  }

  /// The parts of an option's text, separated by commas as in a CSV file.
  static func fields(of text: String, in option: String) throws(UsageError) -> [String] {
    switch Result(catching: { () throws(FlowError) in
      try CSV.header(of: Array(text.utf8), separator: .comma, source: "--\(option)")
    }) {
    case .success(let fields): return fields
    case .failure(let error): throw UsageError("\(error)")
    }
  }

  private static func warn(of file: TableFile, except chosen: [String], _ notices: Notices) {
    for (column, kind) in file.incidental.sorted(by: { $0.key < $1.key }) {
      let name = file.names[column]
      if chosen.contains(name) { continue }
      notices.warn(
        "\(file.source): column \(name) is left out, because it "
          + (kind == .index ? "numbers or names the rows; --columns takes it" : "is empty and has no name"))
    }
  }

  /// Writes rows to a file in the format that its ending tells.
  static func write(_ values: Tensor, columns: [String]?, to path: String) throws {
    let writer = try writer(to: path, columns: columns, rows: values.rows)
    try writer.append(values)
    try writer.finish()
  }

  /// A writer of so many rows to a file in the format that its ending tells.
  static func writer(to path: String, columns: [String]?, rows: Int) throws -> RowWriter {
    let name = path.lowercased()
    let isTabbed = name.hasSuffix(".tsv") || name.hasSuffix(".tab")
    return try RowWriter(
      path, names: columns, rows: rows,
      separator: name.hasSuffix(".npy") ? nil : isTabbed ? .tab : .comma)
  }
}

extension TableFile {
  /// The numbers of some columns. An error at a field says what to do.
  fileprivate func numbers(_ columns: [Int], canLeaveOut: Bool) throws(FlowError) -> Tensor {
    do throws(FlowError) { return try numbers(columns) } catch {
      throw advised(error, canLeaveOut: canLeaveOut)
    }
  }

  /// An error at a field, with advice.
  private func advised(_ error: FlowError, canLeaveOut: Bool) -> FlowError {
    guard case .file(let path, let row?, let column?, let message) = error, message.contains(" number") else {
      return error
    }
    // The position in the first file is that in all of them, as far as advice goes.
    let name = names.indices.contains(column - 1) ? names[column - 1] : "#\(column)"
    var hint =
      canLeaveOut
      ? "--without \(quotedInOption(name)) leaves the column out" : "correct it or remove the row"
    if row == 1, isHeaderless { hint = "--header yes takes row 1 as names" }
    let got = message.ranges(of: ", got ").last.map { message[$0.upperBound...] } ?? ""
    if got.contains(","), got.allSatisfy({ $0.isNumber || ",.-+\" ".contains($0) }) {
      hint = "write it without separators of thousands, or take --decimal comma"
    }
    if message.hasSuffix("got an empty field") { hint = "fill it or remove the row, or " + hint }
    return .inFile(path, row: row, column: column, "\(message); \(hint)")
  }

  fileprivate var isHeaderless: Bool { if case .texts(let table) = self { !table.hasHeader } else { false } }

  /// The error of names that no column has.
  func missing(_ unknown: [String]) -> FlowError {
    let all = names.prefix(20).map(quotedInOption).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
    return .inFile(
      source, row: hasNames ? 1 : nil,
      "expected a column \(unknown.map(quotedInOption).joined(separator: ", ")), got \(all)"
        + (isHeaderless ? "; --header yes takes row 1 as names" : ""))
  }
}

/// A name as an option takes it: in quotes if it holds a comma, a quote or a line break.
func quotedInOption(_ name: String) -> String { CSV.quoted(name, separator: .comma) }
