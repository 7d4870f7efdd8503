import Arguments
import FittedModels
import Flows

/// Densities of tables and draws in the data's units.
extension Model {
  /// The log-density of each row of a table, in float64.
  ///
  /// - Throws: `FlowError.file` for a row that the dtype cannot hold, or whose log-density is no number.
  func logDensities(of table: Table, on device: Device? = nil) throws -> Tensor {
    let context = try given.flatMap { given in
      try table.context.map { try given.standardized($0.values, dtype) }
    }
    let result = try OpenModel(self).logDensities(
      of: table.values, standardized: table.rows(scales, dtype), given: context, on: device)
    if let row = result.doubles.firstIndex(where: \.isNaN) {
      throw Model.farAway(row, of: table.file)
    }
    return result
  }

  /// The log-density of each row of a file that stays on the disk, in float64. One number per row is kept.
  ///
  /// - Throws: as for a table in memory.
  func logDensities(of table: MappedTable) throws -> Tensor {
    let open = try OpenModel(self)
    var scores: [Tensor] = []
    try table.forEachPiece { rows, numbers in
      if let position = rows.firstNonFinite {
        throw table.error(
          row: numbers.lowerBound + position / width, column: position % width,
          "expected a finite number, got NaN or infinity")
      }
      let inner = scales?.standardized(rows).cast(to: dtype) ?? rows.cast(to: dtype)
      if let position = inner.firstNonFinite {
        throw table.error(
          row: numbers.lowerBound + position / width, column: position % width,
          "expected a number near the model's data, got \(rows.doubles[position])")
      }
      let result = try open.logDensities(of: rows, standardized: inner, given: nil)
      if let row = result.doubles.firstIndex(where: \.isNaN) {
        throw Model.farAway(numbers.lowerBound + row, of: table.file)
      }
      scores.append(result)
    }
    return scores.count == 1 ? scores[0] : concatenate(scores, axis: 0)
  }

  /// The error of a row whose log-density is not a number.
  static func farAway(_ row: Int, of file: TableFile) -> FlowError {
    let (path, line) = file.origin(ofRow: row)
    return .inFile(
      path, row: line, "expected a row near the model's data, got one whose log-density is not a number")
  }

  /// The log-density of rows, in float64.
  func logDensities(of rows: Tensor, given context: Tensor? = nil) throws -> Tensor {
    try OpenModel(self).logDensities(of: rows, given: context)
  }

  /// Draws rows: float64 from standardized ones, or the model's dtype.
  ///
  /// Draws of a float32 model are rounded to a decimal place, at least seven digits below the deviation.
  ///
  /// - Throws: `Failure` or `UsageError` if a draw is not finite.
  func draws(
    _ key: Key, count: Int, from first: Int = 0, given context: Tensor?, on device: Device? = nil,
    progress: ProgressOutput = .silent
  ) throws -> Tensor {
    try finite(
      OpenModel(self).draws(
        key, count: count, from: first, given: context, on: device, progress: progress),
      given: context)
  }

  /// The same draws, one piece at a time.
  func draws(
    _ key: Key, count: Int, from first: Int, given context: Tensor?, progress: ProgressOutput,
    _ take: (Tensor) throws -> Void
  ) throws {
    try OpenModel(self).draws(key, count: count, from: first, given: context, progress: progress) {
      try take(finite($0, given: context))
    }
  }

  /// The rows, if they are finite.
  private func finite(_ rows: Tensor, given context: Tensor?) throws -> Tensor {
    guard rows.isFinite else {
      let numbers = rows.doubles
      let bad = Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / width }).count
      let message = "\(bad) of \(counted(rows.rows, "draw")) are not finite"
      if context == nil { throw Failure(message) }
      throw UsageError("\(message): --given is too far from the data that the model was fitted to")
    }
    return rows
  }
}
