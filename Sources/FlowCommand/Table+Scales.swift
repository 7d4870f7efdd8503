import Arguments
import FittedModels
import Flows

extension Table {
  /// The rows in a dtype, standardized if there are scales.
  ///
  /// - Throws: `FlowError.file` at a number whose log is asked for and does not exist, and at one that the
  ///   dtype cannot hold.
  func rows(_ scales: Scales?, _ dtype: DType) throws(FlowError) -> Tensor {
    if let scales { try checkPositive(where: scales.logs) }
    let rows = scales?.standardized(values, roundedTo: dtype) ?? values.cast(to: dtype)
    let isLost = scales == nil && dtype == .float32
    guard isLost || !rows.isFinite else { return rows }
    let (own, all) = (rows.doubles, values.doubles)
    guard
      let position = own.indices.first(where: { !own[$0].isFinite || isLost && own[$0] == 0 && all[$0] != 0 })
    else { return rows }
    let (row, column) = (position / rows.shape[1], position % rows.shape[1])
    let number = values[row..<row + 1].doubles[column]
    throw error(
      row: row, column: column,
      scales == nil
        ? "expected a number that \(dtype) holds in \(name(column)), got \(number); "
          + "--dtype float64 holds more"
        : "expected a number near the model's data in \(name(column)), got \(number), which is beyond "
          + "what \(dtype) holds once it is standardized")
  }

  /// Checks that rounded rows tell some numbers of each column apart that differ.
  func checkDistinct(_ rounded: Tensor) throws(FlowError) {
    let (top, bottom) = (rounded.max(axis: 0).doubles, rounded.min(axis: 0).doubles)
    guard top.indices.contains(where: { top[$0] == bottom[$0] }) else { return }
    let (all, least) = (values.max(axis: 0).doubles, values.min(axis: 0).doubles)
    guard let column = top.indices.first(where: { top[$0] == bottom[$0] && all[$0] != least[$0] }) else {
      return
    }
    throw error(
      row: 0, column: column,
      "expected numbers that \(rounded.dtype) tells apart in \(name(column)), got \(least[column]) to "
        + "\(all[column]); take --dtype float64 or let them be standardized")
  }

  /// Checks that the numbers of some columns have logs.
  func checkPositive(where logs: [Bool]) throws(FlowError) {
    for column in logs.indices where logs[column] {
      let numbers = values.sliced(axis: 1, column..<column + 1).doubles
      if let row = numbers.firstIndex(where: { $0 <= 0 }) {
        throw error(
          row: row, column: column,
          "expected a positive number in \(name(column)), whose log is modelled, got \(numbers[row])")
      }
    }
  }

  /// The scales of the columns, or nil for columns that are taken as they are.
  ///
  /// - Throws: an error for a column that is constant, has no log, or has too large numbers.
  func scales(isStandardized: Bool, _ arguments: Arguments) throws -> Scales? {
    let logged = try Table.names("log", arguments)
    let names = (0..<values.shape[1]).map { name($0) }
    if let unknown = logged?.first(where: { !names.contains($0) }) {
      throw UsageError(
        "expected a column to fit for --log, got \(unknown); there are \(names.joined(separator: ","))")
    }
    let logs = names.map { logged?.contains($0) ?? false }
    try checkPositive(where: logs)
    guard isStandardized else { return logged == nil ? nil : Scales(logs: logs) }
    try checkSpread()
    let scales = Scales(of: values, logs: logs)
    guard
      let wide = names.indices.first(where: { !scales.mean[$0].isFinite || !scales.deviation[$0].isFinite })
    else {
      try checkSeparate(scales)
      return scales
    }
    throw error(row: 0, column: wide, "expected a smaller range of numbers in \(names[wide])")
  }

  /// Checks that the middle half of each column is wider than 10⁻³⁰ standard deviations. If one number is so
  /// far away, float32 gives the others one value.
  private func checkSeparate(_ scales: Scales) throws(FlowError) {
    let some = stride(from: 0, to: values.rows, by: max(1, values.rows / 10_000))
    let sample = values.rows(Array(some))
    for column in scales.mean.indices where !scales.logs[column] {
      let sorted = sample.sliced(axis: 1, column..<column + 1).doubles.sorted()
      let (low, high) = (sorted[sorted.count / 4], sorted[sorted.count * 3 / 4])
      guard sorted.count > 3, low < high, (high - low) / scales.deviation[column] < 1e-30 else { continue }
      let all = values.sliced(axis: 1, column..<column + 1).doubles
      let row = all.indices.max { abs(all[$0]) < abs(all[$1]) } ?? 0
      throw error(
        row: row, column: column,
        "expected numbers of one scale in \(name(column)), got \(all[row]), beside which the others are "
          + "alike; correct or remove the row, or --without \(quotedInOption(name(column))) leaves the "
          + "column out")
    }
  }

  /// Checks that no column is constant: a constant has no density, and standardization would divide by 0.
  private func checkSpread() throws(FlowError) {
    guard values.rows > 1 else {
      throw .inFile(file.source, "expected at least 2 rows, got 1")
    }
    let (top, bottom) = (values.max(axis: 0).doubles, values.min(axis: 0).doubles)
    let flat = top.indices.filter { top[$0] == bottom[$0] }
    guard let first = flat.first else { return }
    let names = flat.map { quotedInOption(name($0)) }.joined(separator: ",")
    throw .inFile(
      file.source, column: positions[first] + 1,
      "expected different numbers, got the same number in all rows: a constant has no density; "
        + "leave it out by --without \(names)")
  }
}
