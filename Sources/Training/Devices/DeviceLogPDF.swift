import Bijections
import Distributions
import PJRT
import StableHLO
import Tensors

/// A log-density that is compiled for a device, with parameters that lie there.
///
/// ```swift
/// let density = try DeviceLogPDF(logPDF, params, on: plugin.firstDevice)
/// let values = try density(rows)
/// ```
///
/// Results agree with those of the log-density to rounding. Rows outside the support have −∞.
public final class DeviceLogPDF: Sendable {
  /// The rows of one call of the program. Batches are cut into as many, and the last one is filled up.
  public let rows: Int
  private let logPDF: LogPDF
  private let params: Params
  private let learned: [DeviceBuffer]
  private let executable: Executable

  /// Traces and compiles a log-density.
  ///
  /// - Parameters:
  ///   - logPDF: the log-density.
  ///   - params: its parameters.
  ///   - device: the device.
  ///   - rows: the rows of one call.
  /// - Throws: `FlowError.mismatch` with the reason for a log-density without a program, and for one whose
  ///   rows depend on each other; `.structure` for other parameters; `PJRTError`.
  /// - Precondition: `rows` is positive.
  public init(_ logPDF: LogPDF, _ params: Params, on device: Device, rows: Int = 1024) throws {
    require(rows > 0, "a program is for at least one row, got \(rows)")
    let boundary = logPDF.boundary
    try boundary.check(params)
    if logPDF.traits.contains(.couplesRows) {
      throw FlowError.mismatch(
        who: "DeviceLogPDF", what: "a log-density", expected: "whose rows are independent", got: boundary.name
      )
    }
    let leaves = params.learnedLeaves
    var kinds = leaves.map { StableHLOProgram.Kind($0.shape, $0.dtype) }
    kinds.append(.init(boundary.domain.shape.batched(rows), boundary.dtype))
    if let context = boundary.contextDim { kinds.append(.init(context.batched(rows), boundary.dtype)) }
    let program = try StableHLOProgram(boundary.name, of: kinds) { tensors in
      let own = params.replacingLearned(with: Array(tensors.prefix(leaves.count)))
      let rest = tensors.dropFirst(leaves.count)
      return [try logPDF.body(own, rest[leaves.count], rest.dropFirst().first)]
    }
    (self.logPDF, self.params, self.rows) = (logPDF, params, rows)
    executable = try device.compile(program, named: boundary.name)
    learned = try leaves.map(device.buffer)
  }

  /// The log-density of each row, `[batch]`.
  ///
  /// - Throws: `FlowError` as the log-density does, `PJRTError`.
  public func callAsFunction(_ inputs: Tensor, given context: Tensor? = nil) throws -> Tensor {
    try logPDF.boundary.checkShapes(params, inputs, given: context)
    let (learned, executable) = (learned, executable)
    return try inPieces(of: rows, [inputs, context].compactMap { $0 }, count: inputs.rows) { piece in
      try executable(learned + piece.map(executable.device.buffer))[0]
    } ?? logPDF(params, inputs, given: context)
  }
}

/// Calls a program with pieces of tensors, of which the last is filled up with its last row. Returns the
/// joined results, or nil for no rows.
func inPieces(
  of rows: Int, _ tensors: [Tensor], count: Int, _ body: ([Tensor]) throws -> DeviceBuffer
) throws -> Tensor? {
  var buffers: [DeviceBuffer] = []
  for start in stride(from: 0, to: count, by: rows) {
    let end = min(start + rows, count)
    let piece = tensors.map { tensor -> Tensor in
      let own = tensor[start..<end]
      if end - start == rows { return own }
      let last = own[end - start - 1..<end - start]
      return concatenate(
        [own, last.broadcast(to: last.shape.replacing(0, by: rows - end + start))], axis: 0)
    }
    buffers.append(try body(piece))
  }
  if buffers.isEmpty { return nil }
  let joined = concatenate(try buffers.map { try $0.tensor() }, axis: 0)
  return joined.rows == count ? joined : joined[0..<count]
}
