import Tensors

extension TextTable {
  /// Reads a table from a file.
  ///
  /// - Parameters:
  ///   - path: The file's path; `-` for standard input. A gzip file is expanded.
  ///   - options: The rules for reading.
  /// - Throws: `FlowError.file` if the file cannot be read, has no rows, is not UTF-8 or UTF-16 or has a
  ///   misplaced quote. The same if records differ in length, or if a name is missing or occurs twice.
  public static func read(_ path: String, options: Options = Options()) throws(FlowError) -> TextTable {
    try parse(
      bytes: FileBytes.readContent(path), options: options.completed(for: path),
      source: FileBytes.displayed(path))
  }

  /// Parses a table from a text, with the options and errors of ``read(_:options:)``.
  public static func parse(
    _ text: String, options: Options = Options(), source: String = "text"
  ) throws(FlowError) -> TextTable {
    try parse(bytes: Array(text.utf8), options: options, source: source)
  }

  /// Parses a table from the bytes of a file, as ``read(_:options:)`` does. Errors name the bytes `source`.
  public static func parse(
    bytes: [UInt8], options: Options = Options(), source: String = "text"
  ) throws(FlowError) -> TextTable {
    let bytes = try utf8(bytes, source: source)
    let separator = options.separator ?? CSVFields.separator(in: bytes, source: source)
    var fields = CSVFields(bytes, separator: separator.rawValue, source: source)
    guard !fields.isAtEnd else { throw .inFile(source, "expected a table, got an empty file") }
    let first = try fields.record()
    if let numbers = blankSeparated(first, in: fields) {
      throw .inFile(
        source, row: 1,
        "expected fields with commas, semicolons, tabs or bars between them, "
          + "got \(numbers) numbers with blanks")
    }
    let records = try Records(&fields, like: first)
    let header = records.hasHeader(options, in: fields)
    let places = header ? records.places : first.map(Place.init) + records.places
    guard !places.isEmpty else { throw .inFile(source, "expected rows under the header, got none") }

    let mark = options.decimalMark ?? decimalMark(of: places, in: bytes, separator)
    var table = TextTable(
      names: header ? try names(of: first, in: fields) : first.indices.map { "#\($0 + 1)" },
      hasHeader: header, separator: separator, bytes: bytes, places: places,
      lines: header ? records.lines : [first[0].row] + records.lines,
      parts: [Part(source: source, firstRow: 0, decimalMark: mark, columns: Array(1...first.count))])
    if options.header == .automatic, !header { table.remarks.append(.noHeader) }
    if options.header == .automatic, header, records.holdsNumbers(options, in: fields) {
      table.remarks.append(.numbersInHeader)
    }
    if options.decimalMark == nil, mark == .comma { table.remarks.append(.decimalComma) }
    try table.findIncidental(first, in: fields)
    return table
  }

  /// The number of numbers with blanks between them in a record of one field; nil for any other record.
  private static func blankSeparated(_ record: [CSVFields.Field], in fields: CSVFields) -> Int? {
    guard record.count == 1 else { return nil }
    let words = fields.bytes[record[0].range].split { $0 == 0x20 || $0 == 0x09 }
    let areNumbers = words.allSatisfy { word in
      if case .number = DecimalText<Double>(word) { true } else { false }
    }
    return areNumbers && words.count > 1 ? words.count : nil
  }

  /// The records of a file after the first.
  private struct Records {
    let first: [CSVFields.Field]
    var places: [Place] = []
    var lines: [Int] = []

    init(_ fields: inout CSVFields, like first: [CSVFields.Field]) throws(FlowError) {
      self.first = first
      while !fields.isAtEnd {
        lines.append(fields.row)
        var field: CSVFields.Field
        repeat {
          field = try fields.next()
          if field.column <= first.count { places.append(Place(field)) }
        } while !field.endsRecord
        guard field.column == first.count else {
          let isBlank = field.column == 1 && field.range.isEmpty && !field.isQuoted
          throw .inFile(
            fields.source, row: field.row, column: min(field.column, first.count) + 1,
            "expected \(first.count) field\(first.count == 1 ? "" : "s"), as in row \(first[0].row), "
              + "got \(isBlank ? "a blank line" : "\(field.column)")")
        }
      }
    }

    /// Whether numbers are among the names that the first record is taken to hold, and no one knew them.
    func holdsNumbers(_ options: Options, in fields: CSVFields) -> Bool {
      first.contains { field in
        guard case .number = DecimalText<Double>(fields.bytes[field.range]) else { return false }
        return !options.knownNames.contains(fields.text(of: field))
      }
    }

    /// Whether the first record holds names.
    ///
    /// It does if it has text and no number, or text above a column of numbers.
    func hasHeader(_ options: Options, in fields: CSVFields) -> Bool {
      if options.header != .automatic { return options.header == .present }
      let texts = first.map(fields.text)
      if !options.knownNames.isEmpty, Set(options.knownNames).isSubset(of: texts) { return true }
      func isText(_ range: Range<Int>) -> Bool? {
        let values = [CSV.DecimalMark.point, .comma].map {
          DecimalText<Double>(fields.bytes[range], mark: $0)
        }
        if values.contains(.empty) { return nil }
        return values.allSatisfy { $0 == .text }
      }
      let kinds = first.map { isText($0.range) }
      if !kinds.contains(true) { return false }
      if !kinds.contains(false) { return true }
      let sample = min(lines.count, 100)
      return first.indices.contains { column in
        guard kinds[column] == true, !missing.contains(texts[column].lowercased()) else { return false }
        let below = (0..<sample).map { isText(places[$0 * first.count + column].range) }
        return below.contains(false) && !below.contains(true)
      }
    }
  }

  /// Texts that stand for a missing value.
  private static let missing: Set<String> = ["na", "n/a", "null", "none", "?", "-", ".", "missing", "nil"]

  /// The names in a header; an error for two equal ones.
  private static func names(
    of record: [CSVFields.Field], in fields: CSVFields
  ) throws(FlowError) -> [String] {
    var seen: [String: Int] = [:]
    var names: [String] = []
    for field in record {
      let text = fields.text(of: field)
      let name = text.isEmpty ? "#\(field.column)" : text
      if let earlier = seen.updateValue(field.column, forKey: name) {
        throw fields.error(
          at: field, "expected distinct column names, got \(excerpt(name)) in column \(earlier) too")
      }
      names.append(name)
    }
    return names
  }

  /// A comma if fields are numbers with a comma, and none is a number with a point.
  private static func decimalMark(
    of places: [Place], in bytes: [UInt8], _ separator: CSV.Separator
  ) -> CSV.DecimalMark {
    if separator == .comma { return .point }
    var hasComma = false
    for place in places {
      let field = bytes[place.range]
      func isNumber(_ mark: CSV.DecimalMark) -> Bool {
        guard field.contains(mark.rawValue) else { return false }
        if case .number = DecimalText<Double>(field, mark: mark) { return true }
        return false
      }
      if isNumber(.point) { return .point }
      hasComma = hasComma || isNumber(.comma)
    }
    return hasComma ? .comma : .point
  }

  /// Finds the columns that label the rows, and those without name and content.
  private mutating func findIncidental(
    _ first: [CSVFields.Field], in fields: CSVFields
  ) throws(FlowError) {
    guard hasHeader, width > 1 else { return }
    for column in 0..<width {
      let isUnnamed = fields.text(of: first[column]).isEmpty
      guard isUnnamed || names[column].hasPrefix("Unnamed: ") else { continue }
      if labelsRows(column) {
        incidental[column] = .index
      } else if (0..<rows).allSatisfy({ value(row: $0, column: column) == .empty }) {
        incidental[column] = .empty
      } else if isUnnamed {
        throw fields.error(at: first[column], "expected a column name, got an empty field")
      }
    }
    if incidental.count == width { incidental = [:] }
  }

  /// Whether all fields of a column differ, and are whole numbers or texts.
  private func labelsRows(_ column: Int) -> Bool {
    var seen: Set<String> = []
    return (0..<rows).allSatisfy { row in
      switch value(row: row, column: column) {
      case .number(let number): number.rounded() == number && seen.insert("\(number)").inserted
      case .text: seen.insert(text(row: row, column: column)).inserted
      default: false
      }
    }
  }
}

extension TextTable.Options {
  /// The options for a file, whose ending may tell the separator.
  package func completed(for path: String) -> TextTable.Options {
    var options = self
    let isTabbed = [".tsv", ".tab", ".tsv.gz", ".tab.gz"].contains(where: path.lowercased().hasSuffix)
    if separator == nil, isTabbed { options.separator = .tab }
    return options
  }
}
