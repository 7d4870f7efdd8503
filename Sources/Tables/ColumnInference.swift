import Files
import Tensors

/// The inference of one column's kind and content.
struct ColumnInference {
  private let name: String
  private let position: Int
  private let table: TextTable
  private let rows: [Int]
  private let options: TableSchema.Options
  private let fields: [Field]

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
    let isNumeric = ![.categorical, .boolean].contains(kind) && !(kind == .constant && !isOfNumbers)
    let missing = try missingMark(isNumeric: isNumeric)
    let present = fields.indices.filter { !fields[$0].isMissing(isNumeric: isNumeric) }
    guard !present.isEmpty else { throw refused("expected values in \(shown), got none") }
    func column(_ content: TableColumn.Content) -> TableColumn {
      TableColumn(name: name, kind: kind, missing: missing, content: content)
    }
    switch kind {
    case .categorical, .boolean, .constant:
      let levels = sortedByFrequency(present.map { fields[$0].text })
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
      return column(.numbers(try scale(numbers, spelling(present), kind)))
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
      throw refused("expected two different texts in \(shown), got \(levels.count)")
    }
    if kind == .constant, levels.count > 1 {
      throw refused("expected one text in all rows of \(shown), got \(levels.count)")
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

  // MARK: - Numbers

  /// The decimals of numbers as the table has them.
  private func spelling(_ present: [Int]) -> NumberScale.Spelling {
    let places = present.map { i -> Int in
      let text = fields[i].text.utf8
      guard !text.contains(where: { $0 == 0x65 || $0 == 0x45 }) else { return 17 }
      guard let mark = text.lastIndex(where: { $0 == 0x2E || $0 == 0x2C }) else { return 0 }
      return text.distance(from: mark, to: text.endIndex) - 1
    }
    let most = min(places.max() ?? 0, 15)
    return .decimal(places: most, isFixed: most > 0 && places.allSatisfy { $0 == most })
  }

  private func scale(
    _ numbers: [Double], _ spelling: NumberScale.Spelling, _ kind: ColumnKind
  ) throws(FlowError) -> NumberScale {
    var scale = NumberScale(spelling: spelling, step: 0)
    var counts: [Double: Int] = [:]
    for x in numbers { counts[x, default: 0] += 1 }
    var places = 0
    if case .decimal(let own, _) = spelling { places = own }
    // Among numbers of many decimals one that recurs is no chance.
    scale.spikes = Array(
      counts.filter { ($0.value * 20 > numbers.count || places > 6) && $0.value > 2 }
        .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key).prefix(20))
    let ordinary = numbers.filter { !scale.spikes.contains($0) }
    let ties = ordinary.count - Set(ordinary).count
    if kind != .continuous || ties > 0 && (places <= 4 || ties * 100 >= ordinary.count) {
      scale.step = commonStep(numbers, places: places) ?? (kind == .continuous ? 0 : 1)
    }
    (scale.least, scale.most) = (numbers.min()!, numbers.max()!)
    if let bounds = options.bounds[name] {
      if kind == .date {
        throw refused("expected --bounds of a column of numbers, got \(shown), one of dates")
      }
      if bounds.lowerBound.isFinite { scale.lower = bounds.lowerBound }
      if bounds.upperBound.isFinite { scale.upper = bounds.upperBound }
      if let i = fields.indices.first(where: { fields[$0].number.map { !scale.isWithinBounds($0) } ?? false })
      {
        throw table.error(
          row: rows[i], column: position,
          "expected a number in the --bounds of \(shown), got \(excerpt(fields[i].text))")
      }
    }
    if options.logs.contains(name), scale.least <= 0 {
      throw refused(
        "expected positive numbers in \(shown), whose log is modelled, got \(spelled(scale.least))")
    }
    let isAboveZero = kind != .date && scale.least >= 0
    scale.chooseCurve(
      ordinary.isEmpty ? numbers : ordinary, floor: scale.lower ?? (isAboveZero ? 0 : nil),
      isLog: options.logs.contains(name))
    (scale.least, scale.most) = (scale.lower ?? scale.least, scale.upper ?? scale.most)
    return scale
  }

  /// The largest number whose multiples all numbers are; nil if it is too small to tell.
  private func commonStep(_ numbers: [Double], places: Int) -> Double? {
    let power = (0..<places).reduce(1.0) { product, _ in product * 10 }
    var divisor: Int64 = 0
    for x in numbers {
      let scaled = (abs(x) * power).rounded()
      guard scaled < 9e15 else { return nil }
      var (a, b) = (divisor, Int64(scaled))
      while b != 0 { (a, b) = (b, a % b) }
      divisor = a
      if divisor == 1 { break }
    }
    return divisor == 0 ? nil : Double(divisor) / power
  }

  // MARK: - Texts

  /// The numbers of some fields by falling frequency, each in its most frequent spelling with a point.
  private func numberLevels(_ present: [Int]) -> [String] {
    var counts: [Double: [String: Int]] = [:]
    for i in present {
      let number = fields[i].number ?? .nan
      let text = Double(fields[i].text) == number ? fields[i].text : spelled(number)
      counts[number, default: [:]][text, default: 0] += 1
    }
    let sorted = counts.sorted { a, b in
      let (more, less) = (a.value.values.reduce(0, +), b.value.values.reduce(0, +))
      return (less, a.key) < (more, b.key)
    }
    return sorted.map { $0.value.max { ($0.value, $1.key) < ($1.value, $0.key) }!.key }
  }

  private func sortedByFrequency(_ texts: [String]) -> [String] {
    var counts: [String: Int] = [:]
    for text in texts { counts[text, default: 0] += 1 }
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
  }

  private var shown: String { excerpt(name) }

  private func misfit(_ index: Int, _ expected: String) -> FlowError {
    table.error(
      row: rows[index], column: position,
      "expected \(expected) in \(shown), got \(excerpt(fields[index].text)); \(advice(orType: true))")
  }

  private func refused(_ message: String, orType: Bool = false, type: String = "categorical") -> FlowError {
    let (file, _) = table.origin(ofRow: rows[0])
    return .inFile(
      file, column: position + 1, "\(message); \(advice(orType: orType, type: type))")
  }

  private func advice(orType: Bool, type: String = "categorical") -> String {
    let option = CSV.quoted(name, separator: .comma)
    return "--without \(option) leaves it out"
      + (orType ? ", --type \(option):\(type) takes it all the same" : "")
  }
}
