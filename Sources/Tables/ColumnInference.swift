import Files
import Tensors

/// The inference of one column's kind and content.
struct ColumnInference {
  let name: String
  let position: Int
  let table: TextTable
  let rows: [Int]
  let options: TableSchema.Options
  let fields: [Field]

  /// The most levels of a column of numbers, and of a text that is taken for categories in a small table.
  private static let fewLevels = 20
  private static let mostLevels = 1_000

  init(_ name: String, _ position: Int, in table: TextTable, _ rows: [Int], _ options: TableSchema.Options) {
    (self.name, self.position, self.table, self.rows, self.options) = (name, position, table, rows, options)
    fields = rows.map { Field(table, row: $0, column: position) }
  }

  func column() throws(FlowError) -> TableColumn {
    let kind: ColumnKind
    if let known = options.types[name] { kind = known } else { kind = try inferredKind() }
    let isNumeric = kind != .categorical && (![.boolean, .constant].contains(kind) || isOfNumbers)
    let missing = try missingMark(isNumeric: isNumeric)
    let present = fields.indices.filter { !fields[$0].isMissing(isNumeric: isNumeric) }
    guard !present.isEmpty else { throw refused("expected values in \(shown), got none") }
    func column(_ content: TableColumn.Content) -> TableColumn {
      TableColumn(name: name, kind: kind, missing: missing, content: content)
    }
    switch kind {
    case .categorical, .boolean, .constant:
      let levels = levels(present, kind)
      try check(levels, kind)
      return column(.levels(levels))
    case .date:
      var (numbers, format) = ([Double](), DateFormat())
      for i in present {
        guard let date = DateFormat.parse(fields[i].text), i == present[0] || date.format == format else {
          throw misfit(i, "a date such as 2024-01-31, in one format")
        }
        format = date.format
        numbers.append(date.number)
      }
      return column(.numbers(try scale(numbers, .date(format), kind)))
    case .continuous, .integer:
      var numbers: [Double] = []
      for i in present {
        guard let x = fields[i].number, kind == .continuous || x.rounded() == x else {
          throw misfit(i, kind == .integer ? "a whole number" : "a number")
        }
        numbers.append(x)
      }
      let levels = numberLevels(present)
      if levels.count <= min(Self.fewLevels, numbers.count / 5), options.bounds[name] == nil,
        !options.logs.contains(name)
      {
        return column(.levels(levels))
      }
      if options.types[name] == nil { try checkNotCounting(numbers) }
      let spelling =
        kind == .integer ? NumberScale.Spelling.decimal(places: 0, isFixed: false) : spelling(present)
      return column(.numbers(try scale(numbers, spelling, kind)))
    }
  }

  /// The code of each row, or its number, NaN for a missing one.
  func values(of column: TableColumn) -> [Double] {
    fields.map { field in
      guard case .success(let cell) = column.cell(field) else { return .nan }
      switch cell {
      case .number(let x): return x
      case .code(let code):
        guard let scale = column.scale else { return Double(code) }
        return code == column.missingCode ? .nan : scale.spikes[code - 1]
      }
    }
  }

  // MARK: - Kinds

  private var isOfNumbers: Bool { fields.contains { $0.number != nil } }

  private func inferredKind() throws(FlowError) -> ColumnKind {
    // Digits with zeros in front are codes, such as 08262, whose zeros numbers would lose.
    let areCodes = fields.contains { field in
      let text = field.text.utf8
      return text.count > 1 && text.first == 0x30 && text.allSatisfy { (0x30...0x39).contains($0) }
    }
    let numbers = areCodes ? 0 : fields.count { $0.number != nil }
    let texts = fields.indices.filter {
      (areCodes || fields[$0].number == nil) && !fields[$0].isMissing(isNumeric: numbers > 0)
    }
    if texts.isEmpty {
      guard numbers > 0 else { throw refused("expected values in \(shown), got none") }
      let distinct = Set(fields.compactMap(\.number))
      if distinct.count == 1 { return .constant }
      if distinct == [0, 1] { return .boolean }
      return distinct.allSatisfy { $0.rounded() == $0 } ? .integer : .continuous
    }
    if numbers >= texts.count { throw misfit(texts[0], "a number") }
    let present = fields.filter { !$0.isMissing(isNumeric: false) }
    let distinct = Set(present.map(\.text))
    if distinct.count == 1 { return present.count > 1 ? .constant : .categorical }
    if present.allSatisfy({ DateFormat.parse($0.text) != nil }) { return .date }
    if Self.pairs.contains(Set(distinct.map { $0.lowercased() })) { return .boolean }
    if distinct.count == present.count {
      throw refused(
        "expected categories in \(shown), got a different text in each row, as names of the rows are")
    }
    guard distinct.count <= max(Self.fewLevels, present.count / 20) else {
      throw refused(
        "expected at most \(max(Self.fewLevels, present.count / 20)) different texts in \(shown), "
          + "got \(distinct.count) in \(present.count) rows",
        orType: true)
    }
    return .categorical
  }

  private static let pairs: [Set<String>] = [
    ["true", "false"], ["yes", "no"], ["t", "f"], ["y", "n"], ["on", "off"],
  ]

  private func check(_ levels: [String], _ kind: ColumnKind) throws(FlowError) {
    if kind == .boolean, levels.count > 2 {
      throw refused("expected two different texts in \(shown), got \(levels.count)", orType: true)
    }
    if kind == .constant, levels.count > 1 {
      throw refused("expected one text in all rows of \(shown), got \(levels.count)", orType: true)
    }
    guard levels.count <= Self.mostLevels else {
      throw refused("expected at most \(Self.mostLevels) levels in \(shown), got \(levels.count)")
    }
  }

  /// Refuses whole numbers that count the rows.
  private func checkNotCounting(_ numbers: [Double]) throws(FlowError) {
    guard numbers.count >= Self.fewLevels, Set(numbers).count == numbers.count,
      let low = numbers.min(), let high = numbers.max(), high - low == Double(numbers.count - 1),
      numbers.allSatisfy({ $0.rounded() == $0 })
    else { return }
    throw refused("expected measurements in \(shown), got numbers of the rows", orType: true, type: "integer")
  }

  // MARK: - Missing values

  private func missingMark(isNumeric: Bool) throws(FlowError) -> String? {
    let missing = fields.indices.filter { fields[$0].isMissing(isNumeric: isNumeric) }
    guard let first = missing.first else { return nil }
    if options.missing == .error {
      throw table.error(
        row: rows[first], column: position,
        "expected a value in \(shown), got a missing one; --missing model learns them")
    }
    return sortedByFrequency(missing.map { fields[$0].text })[0]
  }

  // MARK: - Texts

  /// The levels of a column, the most frequent first.
  ///
  /// Spellings of one number are one level, except of categories. So are TRUE, True and true of a boolean.
  private func levels(_ present: [Int], _ kind: ColumnKind) -> [String] {
    let texts = present.map { fields[$0].text }
    if kind == .categorical { return sortedByFrequency(texts) }
    if present.allSatisfy({ fields[$0].number != nil }) { return numberLevels(present) }
    guard kind == .boolean else { return sortedByFrequency(texts) }
    var spelling: [String: String] = [:]
    for text in sortedByFrequency(texts).reversed() { spelling[text.lowercased()] = text }
    return sortedByFrequency(texts.map { spelling[$0.lowercased()]! })
  }

  private func sortedByFrequency(_ texts: [String]) -> [String] {
    var counts: [String: Int] = [:]
    for text in texts { counts[text, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  var shown: String { excerpt(name) }

  private func misfit(_ index: Int, _ expected: String) -> FlowError {
    table.error(
      row: rows[index], column: position,
      "expected \(expected) in \(shown), got \(excerpt(fields[index].text)); \(advice(orType: true))")
  }

  func refused(_ message: String, orType: Bool = false, type: String = "categorical") -> FlowError {
    let (file, _) = table.origin(ofRow: rows[0])
    return .inFile(
      file, column: position + 1, "\(message); \(advice(orType: orType, type: type))")
  }

  func advice(orType: Bool, type: String = "categorical") -> String {
    let option = CSV.quoted(name, separator: .comma)
    return "--without \(option) leaves it out"
      + (orType ? ", --type \(option):\(type) takes it all the same" : "")
  }
}
