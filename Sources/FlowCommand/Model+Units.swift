import Arguments
import Flows

/// Densities and draws in the data's units.
extension Model {
  /// The log-density of each row of a table, in float64.
  ///
  /// - Throws: `FlowError.file` for a row that the dtype cannot hold, or whose log-density is no number.
  func logDensities(of table: Table) throws -> Tensor {
    let context = try given.flatMap { given in
      try table.context.map { try given.standardized($0.values, dtype) }
    }
    let result = try logDensities(
      of: table.values, standardized: table.rows(scales, dtype), given: context)
    if let row = result.doubles.firstIndex(where: \.isNaN) {
      throw Model.farAway(row, of: table.file)
    }
    return result
  }

  /// The log-density of each row of a file that stays on the disk, in float64. One number per row is kept.
  ///
  /// - Throws: as for a table in memory.
  func logDensities(of table: MappedTable) throws(FlowError) -> Tensor {
    let (logPDF, params) = (try functions(dtype).logPDF, try innerParams())
    let scores = try table.reduce([Tensor]()) { (scores, rows, numbers) throws(FlowError) in
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
      let own = try logPDF.inChunks(params, inner, progress: .silent).cast(to: .float64)
      let result = scales.map { own + $0.logDet(rows) } ?? own
      if let row = result.doubles.firstIndex(where: \.isNaN) {
        throw Model.farAway(numbers.lowerBound + row, of: table.file)
      }
      return scores + [result]
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
    try logDensities(
      of: rows, standardized: scales?.standardized(rows, roundedTo: dtype) ?? rows.cast(to: dtype),
      given: context)
  }

  private func logDensities(of rows: Tensor, standardized: Tensor, given context: Tensor?) throws -> Tensor {
    let inner = try functions(dtype).logPDF.inChunks(
      innerParams(), standardized, given: context, progress: .silent
    ).cast(to: .float64)
    return scales.map { inner + $0.logDet(rows) } ?? inner
  }

  /// Draws rows: float64 from standardized ones, or the model's dtype.
  ///
  /// Draws of a float32 model are rounded to a decimal place, at least seven digits below the deviation.
  /// Draws from `first` on are a part of the same long sample.
  ///
  /// - Throws: `Failure` or `UsageError` if a draw is not finite.
  func draws(
    _ key: Key, count: Int, from first: Int = 0, given context: Tensor?, progress: ProgressOutput = .silent
  ) throws -> Tensor {
    try inUnits(
      functions(dtype).sample.inChunks(
        key, innerParams(), count: count, from: first, given: context, progress: progress),
      given: context)
  }

  /// The same draws, one piece at a time.
  func draws(
    _ key: Key, count: Int, from first: Int, given context: Tensor?, progress: ProgressOutput,
    _ take: (Tensor) throws -> Void
  ) throws {
    let (sample, params) = (try functions(dtype).sample, try innerParams())
    var failure: (any Error)?
    do {
      try sample.inChunks(key, params, count: count, from: first, given: context, progress: progress) {
        (piece) throws(FlowError) in
        do { try take(inUnits(piece, given: context)) } catch {
          failure = error
          throw .verification(who: "sample", message: "\(error)")
        }
      }
    } catch { throw failure ?? error }
  }

  /// Draws of the flow in the data's units.
  private func inUnits(_ inner: Tensor, given context: Tensor?) throws -> Tensor {
    let rows = scales.map { dtype == .float32 ? $0.rounded($0.restored(inner)) : $0.restored(inner) } ?? inner
    guard rows.isFinite else {
      let numbers = rows.doubles
      let bad = Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / width }).count
      let message = "\(bad) of \(counted(inner.rows, "draw")) are not finite"
      if context == nil { throw Failure(message) }
      throw UsageError("\(message): --given is too far from the data that the model was fitted to")
    }
    return rows
  }

  /// The parameters for standardized rows, with a standardization that changes nothing.
  func innerParams() throws(FlowError) -> Params {
    try Model.replacing(
      params, count: members.count, isStandardized, mean: .zeros([width], dtype: dtype),
      deviation: .ones([width], dtype: dtype))
  }

  /// The parameters of a mixture of `count` flows with another standardization, if there is one.
  static func replacing(
    _ params: Params, count: Int, _ isStandardized: Bool, mean: Tensor, deviation: Tensor
  ) throws(FlowError) -> Params {
    if !isStandardized { return params }
    var params = params
    for place in standardizations(count) {
      params = try params.replacing(place + "/mean", by: .frozen(mean))
      params = try params.replacing(place + "/deviation", by: .frozen(deviation))
    }
    return params
  }

  /// The standardization in a tree; nil if the members differ in it, or its numbers are none.
  static func standardization(in params: Params, count: Int) -> Scales? {
    let all = standardizations(count).map { place in
      Scales(
        mean: params[path: place + "/mean"]?.value?.doubles ?? [.nan],
        deviation: params[path: place + "/deviation"]?.value?.doubles ?? [.nan])
    }
    return all.allSatisfy { $0 == all[0] } ? all[0] : nil
  }

  /// The paths of the members' standardizations.
  private static func standardizations(_ count: Int) -> [String] {
    (0..<count).map { (count == 1 ? "" : "components/\($0)/") + "bijection/0" }
  }
}

extension Scales {
  /// Rows rounded to a decimal place, seven digits or more below each column's deviation.
  func rounded(_ rows: Tensor) -> Tensor {
    let factors = deviation.indices.map { i -> Double in
      // A log's column has no place of its own.
      let digits = 7 - exponentOfTen(deviation[i])
      return logs[i] || digits > 300 || digits < -300 ? 0 : powerOfTen(digits)
    }
    if factors.allSatisfy({ $0 == 0 }) { return rows }
    let (width, numbers) = (factors.count, rows.doubles)
    let result = numbers.indices.map { i -> Double in
      let (number, factor) = (numbers[i], factors[i % width])
      let scaled = number * factor
      guard factor > 0, scaled.isFinite else { return number }
      // A power of ten above 1 is exact up to 10²², so the quotient is the decimal number nearest to it.
      return factor >= 1 ? scaled.rounded() / factor : (scaled.rounded() * (1 / factor)).rounded()
    }
    return Tensor(doubles: result, shape: rows.shape)
  }
}

/// The exponent n of the largest power 10ⁿ that is at most a positive number.
private func exponentOfTen(_ number: Double) -> Int {
  var (n, power) = (0, 1.0)
  while power * 10 <= number, n < 308 { (n, power) = (n + 1, power * 10) }
  while power > number, n > -308 { (n, power) = (n - 1, power / 10) }
  return n
}

private func powerOfTen(_ n: Int) -> Double {
  let power = (0..<abs(n)).reduce(1.0) { product, _ in product * 10 }
  return n < 0 ? 1 / power : power
}
