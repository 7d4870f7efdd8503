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
    _ key: Key, count: Int, given context: Tensor?, on device: Device? = nil,
    progress: ProgressOutput = .silent
  ) throws -> Tensor {
    let rows = try OpenModel(self).draws(
      key, count: count, given: context, on: device, progress: progress)
    guard rows.isFinite else {
      let numbers = rows.doubles
      let bad = Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / width }).count
      let message = "\(bad) of \(counted(count, "draw")) are not finite"
      if context == nil { throw Failure(message) }
      throw UsageError("\(message): --given is too far from the data that the model was fitted to")
    }
    return rows
  }
}
