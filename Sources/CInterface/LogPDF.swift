import FittedModels
import Tensors

@_cdecl("flows_log_pdf_f32")
public func flowsLogPDF32(
  _ model: OpaquePointer?, _ rows: UnsafePointer<Float>?, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<Float>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<Float>?, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int64
) -> Int32 {
  ErrorBuffer(error, errorSize).status {
    try logPDF(opened(model), rows, count, size, context, contextCount, contextSize, result)
  }
}

@_cdecl("flows_log_pdf_f64")
public func flowsLogPDF64(
  _ model: OpaquePointer?, _ rows: UnsafePointer<Double>?, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<Double>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<Double>?, _ error: UnsafeMutablePointer<CChar>?, _ errorSize: Int64
) -> Int32 {
  ErrorBuffer(error, errorSize).status {
    try logPDF(opened(model), rows, count, size, context, contextCount, contextSize, result)
  }
}

/// Writes the log-densities of rows, piece by piece.
private func logPDF<S: Scalar>(
  _ open: OpenModel, _ start: UnsafePointer<S>?, _ count: Int64, _ size: Int64,
  _ context: UnsafePointer<S>?, _ contextCount: Int64, _ contextSize: Int64,
  _ result: UnsafeMutablePointer<S>?
) throws {
  let model = open.model
  let rows = try Rows(start, count, size, of: model.width, called: "rows")
  let contexts = try Contexts(context, contextCount, contextSize, for: count, of: model)
  try Rows.check(result.map { UnsafePointer($0) }, count, 1, "a place for the result")
  guard let result else { return }
  // As many rows at a time as `flow score` takes.
  for first in stride(from: 0, to: rows.count, by: 100_000) {
    let range = first..<min(first + 100_000, rows.count)
    let given = try contexts.standardized(range).map { own in
      own.rows == 1 ? own.broadcast(to: own.shape.replacing(0, by: range.count)) : own
    }
    let numbers = try rows.withTensor(range) { try open.logPDF($0, given: given) }.doubles
    for (i, number) in numbers.enumerated() { result[first + i] = S(number) }
  }
}

extension OpenModel {
  /// The log-density of rows, which is −∞ where the log of a column is modelled and does not exist.
  fileprivate func logPDF(_ rows: Tensor, given context: Tensor?) throws -> Tensor {
    let densities = try logDensities(of: rows, given: context)
    guard let logs = model.scales?.logs, logs.contains(true) else { return densities }
    let mask = Tensor(logs.map { $0 ? 1 : 0 }, dtype: rows.dtype)
    let isOutside = ((rows .<= 0) * mask).max(axis: 1).cast(to: .float64)
    let isNumber = (rows .== rows).min(axis: 1).cast(to: .float64)
    return select(where: isOutside * isNumber, -.infinity, densities)
  }
}
