import Arguments
import Flows

/// Densities and draws in the data's units.
extension Model {
  /// The log-density of each row of a table, in float64.
  ///
  /// - Throws: `FlowError.file` for a row that the dtype cannot hold, or whose log-density is no number.
  func logDensities(of table: Table, on device: Device? = nil) throws -> Tensor {
    let context = try given.flatMap { given in
      try table.context.map { try given.standardized($0.values, dtype) }
    }
    let result = try logDensities(
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
    try logDensities(
      of: rows, standardized: scales?.standardized(rows, roundedTo: dtype) ?? rows.cast(to: dtype),
      given: context)
  }

  private func logDensities(
    of rows: Tensor, standardized: Tensor, given context: Tensor?, on device: Device? = nil
  ) throws -> Tensor {
    let (logPDF, params) = (try functions(dtype).logPDF, try innerParams())
    let own =
      if let device {
        try DeviceLogPDF(logPDF, params, on: device, rows: min(max(rows.rows, 1), 10_000))(
          standardized, given: context)
      } else {
        try logPDF.inChunks(params, standardized, given: context, progress: .silent)
      }
    let inner = own.cast(to: .float64)
    return scales.map { inner + $0.logDet(rows) } ?? inner
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
    let (sample, params) = (try functions(dtype).sample, try innerParams())
    let inner =
      if let device {
        try DeviceSampler(sample, params, on: device, rows: min(count, 10_000)).inChunks(
          key, count: count, given: context)
      } else {
        try sample.inChunks(key, params, count: count, given: context, progress: progress)
      }
    let rows = scales.map { dtype == .float32 ? $0.rounded($0.restored(inner)) : $0.restored(inner) } ?? inner
    guard rows.isFinite else {
      let numbers = rows.doubles
      let bad = Set(numbers.indices.filter { !numbers[$0].isFinite }.map { $0 / width }).count
      let message = "\(bad) of \(counted(count, "draw")) are not finite"
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
