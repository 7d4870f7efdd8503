import Files
import Tensors

extension ComparedTable {
  /// Takes the columns of tables from files, so that they can be compared.
  ///
  /// A column holds numbers if all its fields in all tables are numbers or missing. It holds times, as
  /// nanoseconds since 1970, if all are in ISO 8601. Any other column holds categories. Columns that number
  /// the rows, or are empty, are left out.
  ///
  /// - Parameters:
  ///   - tables: The tables. The first gives the order of the columns.
  ///   - categorical: The columns of numbers that are categories.
  ///   - without: The columns to leave out.
  /// - Throws: `FlowError.file` for a table with other columns, and for a number that is infinite or that
  ///   float64 cannot hold.
  /// - Precondition: There is at least one table.
  public static func aligned(
    _ tables: [TextTable], categorical: Set<String> = [], without: Set<String> = []
  ) throws(FlowError) -> [ComparedTable] {
    require(!tables.isEmpty, "aligned tables need a table")
    let names = compared(tables[0], without)
    let source = tables[0].origin(ofRow: 0).file
    for table in tables.dropFirst() {
      try check(compared(table, without), of: table, against: names, source)
    }
    guard !names.isEmpty else { throw .inFile(source, "expected columns to compare, got none") }
    var columns = [[Column]](repeating: [], count: tables.count)
    for name in names {
      let places = tables.map { table in (table, table.names.firstIndex(of: name)!) }
      let (values, isTime) = try values(places, name, isCategorical: categorical.contains(name))
      for i in tables.indices { columns[i].append(Column(name, values[i], isTime: isTime)) }
    }
    return columns.map(ComparedTable.init)
  }

  /// The names of the columns to compare.
  private static func compared(_ table: TextTable, _ without: Set<String>) -> [String] {
    table.names.indices.filter { table.incidental[$0] == nil && !without.contains(table.names[$0]) }
      .map { table.names[$0] }
  }

  private static func check(
    _ own: [String], of table: TextTable, against names: [String], _ source: String
  ) throws(FlowError) {
    let (missing, added) = (names.filter { !own.contains($0) }, own.filter { !names.contains($0) })
    if missing.isEmpty && added.isEmpty { return }
    let file = table.origin(ofRow: 0).file
    func list(_ names: [String]) -> String {
      names.prefix(10).map { excerpt($0) }.joined(separator: ", ")
    }
    if missing.count == names.count {
      throw .inFile(
        file, "expected the columns of \(source), got no column in common: \(list(own)), not \(list(names))")
    }
    let got = [("without", missing), ("with", added)].filter { !$1.isEmpty }.map { "\($0) \(list($1))" }
    throw .inFile(file, "expected the columns of \(source), got them \(got.joined(separator: " and "))")
  }

  /// The values of one column in each table.
  private static func values(
    _ places: [(table: TextTable, column: Int)], _ name: String, isCategorical: Bool
  ) throws(FlowError) -> (values: [Values], isTime: Bool) {
    let fields = places.map { table, column in
      (0..<table.rows).map { Field(table, row: $0, column: column) }
    }
    let isOfNumbers = fields.joined().allSatisfy { $0.isMissing(isNumeric: true) || !$0.isText }
    if isOfNumbers && !isCategorical {
      var result: [Values] = []
      for (place, own) in zip(places, fields) {
        var numbers: [Double] = []
        for (row, field) in own.enumerated() {
          if let number = field.number {
            numbers.append(number)
          } else if field.isMissing(isNumeric: true) {
            numbers.append(.nan)
          } else {
            throw place.table.error(
              row: row, column: place.column,
              "expected a finite number or nothing in \(excerpt(name)), got \(excerpt(field.text))")
          }
        }
        result.append(.numbers(numbers))
      }
      return (result, false)
    }
    if !isOfNumbers && !isCategorical, let times = times(fields) { return (times.map(Values.numbers), true) }
    let categories = fields.map { own in
      own.map { field in
        field.isMissing(isNumeric: isOfNumbers) ? nil : field.number.map(spelled) ?? field.text
      }
    }
    return (categories.map(Values.categories), false)
  }

  /// The nanoseconds since 1970 of fields that all hold a day or a time or are missing; otherwise nil.
  private static func times(_ fields: [[Field]]) -> [[Double]]? {
    var result: [[Double]] = []
    for own in fields {
      var times: [Double] = []
      for field in own {
        if field.isMissing(isNumeric: false) {
          times.append(.nan)
        } else if let (format, number) = DateFormat.parse(field.text) {
          times.append(number * (format.mark == nil ? 86_400e9 : 1e9))
        } else {
          return nil
        }
      }
      result.append(times)
    }
    return result
  }
}

extension Field {
  /// Whether the field is neither a number nor empty nor the name of an infinity.
  fileprivate var isText: Bool { value == .text }
}
