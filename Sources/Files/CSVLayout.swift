import Tensors

/// The assignment of the fields of a record to the columns of the table.
struct CSVLayout {
  /// The column names of the table, or nil for a file without names.
  let names: [String]?
  /// The table's column for each field of a record; nil for a column that was not requested.
  let slots: [Int?]
  /// The number of columns of the table.
  let width: Int

  /// Reads the header, if there is one, and leaves `fields` at the first record of numbers.
  init(
    readingHeaderOf fields: inout CSVFields, _ header: CSV.Header, _ columns: [String]?
  ) throws(FlowError) {
    let source = fields.source
    guard !fields.isAtEnd else { throw .inFile(source, "expected rows of numbers, got an empty file") }
    var following = fields
    let first = try following.record()

    let hasHeader =
      switch header {
      case .present: true
      case .none: false
      case .automatic: CSVLayout.looksLikeNames(first.map { DecimalText<Double>(fields.bytes[$0.range]) })
      }
    guard hasHeader else {
      guard columns == nil else {
        throw .inFile(source, row: 1, "expected a header with the columns' names, got numbers")
      }
      (names, width, slots) = (nil, first.count, Array(first.indices))
      return
    }
    fields = following
    let found = try CSVLayout.distinctNames(of: first, in: fields, allowingEmpty: columns != nil)
    guard !fields.isAtEnd else {
      throw .inFile(source, "expected rows of numbers under the header, got none")
    }
    guard let columns else {
      (names, width, slots) = (found, found.count, Array(found.indices))
      return
    }
    (names, width) = (columns, columns.count)
    slots = try CSVLayout.slots(for: columns, among: found, source: source)
  }

  /// The position in `columns` of each of the file's columns; nil for the others.
  private static func slots(
    for columns: [String], among found: [String], source: String
  ) throws(FlowError) -> [Int?] {
    var slots = [Int?](repeating: nil, count: found.count)
    for (slot, name) in columns.enumerated() {
      guard let position = found.firstIndex(of: name) else {
        let all = found.prefix(20).map(excerpt).joined(separator: ", ") + (found.count > 20 ? ", …" : "")
        throw .inFile(source, row: 1, "expected a column \(excerpt(name)), got \(all)")
      }
      guard slots[position] == nil else {
        throw .inFile(source, "expected to be asked for column \(excerpt(name)) once")
      }
      slots[position] = slot
    }
    return slots
  }

  /// Whether a record holds text and no field other than text and empty ones.
  private static func looksLikeNames(_ record: [DecimalText<Double>]) -> Bool {
    record.contains(.text) && record.allSatisfy { $0 == .text || $0 == .empty }
  }

  /// The names in a header; an error for two equal ones.
  private static func distinctNames(
    of record: [CSVFields.Field], in fields: CSVFields, allowingEmpty: Bool
  ) throws(FlowError) -> [String] {
    var seen: [String: Int] = [:]
    var names: [String] = []
    for field in record {
      let name = fields.text(of: field)
      if name.isEmpty {
        guard allowingEmpty else {
          throw fields.error(at: field, "expected a column name, got an empty field")
        }
      } else if let earlier = seen.updateValue(field.column, forKey: name) {
        throw fields.error(
          at: field, "expected distinct column names, got \(excerpt(name)) in column \(earlier) too")
      }
      names.append(name)
    }
    return names
  }

  /// Reads the numbers of the remaining records as a tensor of shape [rows, columns].
  func tensor<Number: DecimalScalar>(of fields: inout CSVFields, _: Number.Type) throws(FlowError) -> Tensor {
    var numbers: [Number] = []
    var row = [Number](repeating: 0, count: width)
    let firstRow = fields.row
    while !fields.isAtEnd {
      var field: CSVFields.Field
      repeat {
        field = try fields.next()
        guard field.column <= slots.count, let slot = slots[field.column - 1] else { continue }
        row[slot] = try fields.number(in: field)
      } while !field.endsRecord
      guard field.column == slots.count else {
        let reference = names == nil ? "row \(firstRow)" : "the header"
        let expected = "\(slots.count) field\(slots.count == 1 ? "" : "s")"
        throw .inFile(
          fields.source, row: field.row, column: min(field.column, slots.count) + 1,
          "expected \(expected), as in \(reference), got \(field.column)")
      }
      numbers.append(contentsOf: row)
      guard numbers.count <= Int(Int32.max) else {
        throw fields.error(at: field, "expected at most \(Int32.max) numbers, got more")
      }
    }
    return Tensor(shape: [numbers.count / width, width]) { $0.update(from: numbers, count: numbers.count) }
  }
}
