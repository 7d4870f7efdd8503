import Files
import Tensors

extension TableSchema {
  /// Encodes rows of a table. Columns are found by name, and columns of other names are left alone.
  ///
  /// - Parameters:
  ///   - table: the table.
  ///   - rows: the rows to encode; nil for all.
  ///   - clamping: whether numbers outside declared bounds count as the nearest bound, instead of an error.
  ///   - brokenRule: a function to call with the error of a row whose value does not follow from another
  ///     column. Such a row has log-likelihood −∞. Without a function the first such error is thrown.
  /// - Throws: `FlowError.file` for a missing column, and at the first field that does not fit its column.
  ///   Such a field is an unknown level, a text in place of a number, a number outside declared bounds, or a
  ///   missing value where the schema has none.
  public func encode(
    _ table: TextTable, rows: [Int]? = nil, clamping: Bool = false,
    brokenRule: ((FlowError) -> Void)? = nil
  ) throws(FlowError) -> TableRows {
    let rows = rows ?? Array(0..<table.rows)
    let positions = try positions(in: table)
    var (codes, lows, highs): ([[Double]], [Tensor], [Tensor]) = ([], [], [])
    var logScale = Tensor.zeros([rows.count], dtype: .float64)
    for (column, position) in zip(columns, positions) {
      if column.derivation != nil {
        let broken = try rowsBreaking(column, position, positions, table, rows, brokenRule)
        if !broken.isEmpty {
          var terms = logScale.doubles
          for i in broken { terms[i] = -.infinity }
          logScale = Tensor(terms, dtype: .float64)
        }
        continue
      }
      let cells = try cells(column, position, table, rows, clamping)
      if column.hasCode {
        codes.append(cells.map { if case .code(let code) = $0 { Double(code) } else { 0 } })
      }
      guard let scale = column.scale else { continue }
      let (low, high, terms) = intervals(cells, scale)
      lows.append(low)
      highs.append(high)
      logScale = logScale + terms
    }
    let table = codes.map { Tensor($0, dtype: .float64) }
    let empty = Tensor.zeros([rows.count, 0], dtype: .float64)
    return TableRows(
      codes: table.isEmpty ? empty : stack(table, axis: 1),
      intervals: lows.isEmpty ? empty : stack(lows + highs, axis: 1), logScale: logScale)
  }

  /// The names of the columns of numbers, and some rows of them, standardized. Missing numbers are NaN.
  package func numbers(of table: TextTable, rows: [Int]) -> (names: [String], rows: Tensor) {
    let own = numbered.map { columns[$0] }
    let numbers = own.map { column -> Tensor in
      let position = table.names.firstIndex(of: column.name) ?? 0
      let all = rows.map { column.number(of: Field(table, row: $0, column: position)) }
      let present = all.compactMap { $0 }
      let middle = present.reduce(0) { $0 + $1 / Double(max(present.count, 1)) }
      let spread = present.reduce(0) { max($0, abs($1 - middle)) }
      let unit = spread > 0 && spread.isFinite ? spread : 1
      let share = present.reduce(0) { $0 + ($1 - middle) / unit * (($1 - middle) / unit) }
      let deviation = (share / Double(max(present.count, 1))).squareRoot()
      return Tensor(
        all.map { $0.map { ($0 - middle) / unit / (deviation > 0 ? deviation : 1) } ?? .nan }, dtype: .float64
      )
    }
    return (own.map(\.name), numbers.isEmpty ? .zeros([rows.count, 0]) : stack(numbers, axis: 1))
  }

  /// The first of some names, for messages.
  static func shown(_ names: [String]) -> String {
    names.prefix(20).map { $0.count > 40 ? "\($0.prefix(40))…" : $0 }.joined(separator: ",")
      + (names.count > 20 ? ",…" : "")
  }

  /// The columns' positions in a table.
  func positions(in table: TextTable) throws(FlowError) -> [Int] {
    let all = Dictionary(zip(table.names, table.names.indices)) { first, _ in first }
    let missing = names.filter { all[$0] == nil }
    guard missing.isEmpty else {
      throw .inFile(
        table.origin(ofRow: 0).file, row: table.hasHeader ? 1 : nil,
        "expected the columns \(TableSchema.shown(names)), as the model was fitted to, "
          + "got no \(TableSchema.shown(missing))")
    }
    return names.map { all[$0]! }
  }

  private func cells(
    _ column: TableColumn, _ position: Int, _ table: TextTable, _ rows: [Int], _ clamping: Bool
  ) throws(FlowError) -> [TableColumn.Cell] {
    var cells: [TableColumn.Cell] = []
    cells.reserveCapacity(rows.count)
    for row in rows {
      switch column.cell(Field(table, row: row, column: position), clamping: clamping) {
      case .success(let cell): cells.append(cell)
      case .failure(let message): throw table.error(row: row, column: position, message.text)
      }
    }
    return cells
  }

  /// The places among some rows where the field of a column does not follow from that of its source.
  private func rowsBreaking(
    _ column: TableColumn, _ position: Int, _ positions: [Int], _ table: TextTable, _ rows: [Int],
    _ brokenRule: ((FlowError) -> Void)?
  ) throws(FlowError) -> [Int] {
    guard let source = source(of: column) else { return [] }
    var broken: [Int] = []
    for (i, row) in rows.enumerated() {
      let (own, other) = (
        Field(table, row: row, column: position), Field(table, row: row, column: positions[source])
      )
      if let message = column.misfit(own, from: other, in: columns[source]) {
        let error = table.error(row: row, column: position, message.text)
        guard let brokenRule else { throw error }
        brokenRule(error)
        broken.append(i)
      }
    }
    return broken
  }

  /// The position of the column from which another one follows.
  func source(of column: TableColumn) -> Int? {
    column.derivation.flatMap { derivation in columns.firstIndex { $0.name == derivation.source } }
  }

  private func intervals(
    _ cells: [TableColumn.Cell], _ scale: NumberScale
  ) -> (low: Tensor, high: Tensor, logScale: Tensor) {
    let numbers = cells.map { if case .number(let x) = $0 { x } else { Double.nan } }
    let isPresent = Tensor(numbers.map { $0.isNaN ? 0 : 1 }, dtype: .float64)
    // Absent numbers get one of the curve's domain, whose results are not used.
    let filler = scale.curve.inverse(Tensor([scale.mean], dtype: .float64)).doubles[0]
    let (low, high, terms) = scale.intervals(
      Tensor(numbers.map { $0.isNaN ? filler : $0 }, dtype: .float64))
    return (
      select(where: isPresent, low, 1), select(where: isPresent, high, -1), select(where: isPresent, terms, 0)
    )
  }

  /// Decodes rows: the texts of each column, nil for missing values.
  ///
  /// - Parameters:
  ///   - codes: the codes, [rows, codes].
  ///   - numbers: the real numbers in the flow's units, [rows, numbers].
  ///   - given: the texts of some columns in all rows, by position.
  func decode(codes: Tensor, numbers: Tensor, given: [Int: String?] = [:]) -> [[String?]] {
    let count = codes.rows
    var (code, number) = (0, 0)
    var texts = columns.map { column in
      var own = [Int](repeating: 0, count: count)
      if column.hasCode {
        own = codes.sliced(axis: 1, code..<code + 1).doubles.map { Int($0) }
        code += 1
      }
      var values = [Double](repeating: 0, count: count)
      if let scale = column.scale {
        values = scale.numbers(numbers.sliced(axis: 1, number..<number + 1))
        number += 1
      }
      return (0..<count).map { column.text(code: own[$0], number: values[$0]) }
    }
    for (position, text) in given { texts[position] = [String?](repeating: text, count: count) }
    for (position, column) in columns.enumerated() {
      guard let source = source(of: column) else { continue }
      texts[position] = column.texts(from: texts[source], in: columns[source])
    }
    return texts
  }
}
