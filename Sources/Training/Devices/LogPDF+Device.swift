import Bijections
import Distributions
import PJRT
import Randomness
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

/// A sampler that is compiled for a device, with parameters that lie there.
///
/// ```swift
/// let draws = try DeviceSampler(sample, params, on: plugin.firstDevice)
/// let x = try draws(Key(1), count: 10_000)
/// ```
///
/// The numbers drawn from the key are those of the sampler. So are the draws, to rounding.
public final class DeviceSampler: Sendable {
  /// The draws of one call of the program.
  public let rows: Int
  private let sample: Sampler
  private let params: Params
  private let learned: [DeviceBuffer]
  private let program: DrawingProgram
  private let executable: Executable

  /// Traces and compiles a sampler.
  ///
  /// - Parameters:
  ///   - sample: the sampler.
  ///   - params: its parameters. Weights of a mixture are constants of the program.
  ///   - device: the device.
  ///   - rows: the draws of one call.
  /// - Throws: `FlowError.mismatch` with the reason for a sampler without a program; `.structure` for other
  ///   parameters; `PJRTError`.
  /// - Precondition: `rows` is positive.
  public init(_ sample: Sampler, _ params: Params, on device: Device, rows: Int = 1024) throws {
    require(rows > 0, "a program is for at least one row, got \(rows)")
    let boundary = sample.boundary
    try boundary.check(params)
    // Logits choose components on the host, so they are constants.
    let own = params.freezingLogits
    let leaves = own.learnedLeaves
    var kinds = leaves.map { StableHLOProgram.Kind($0.shape, $0.dtype) }
    if let context = boundary.contextDim { kinds.append(.init(context.batched(rows), boundary.dtype)) }
    let key = Key(0)
    program = try DrawingProgram(boundary.name, of: kinds, drawingFrom: key, rows: rows) { tensors in
      let params = own.replacingLearned(with: Array(tensors.prefix(leaves.count)))
      return [try sample.body(key, params, rows, tensors.dropFirst(leaves.count).first).samples]
    }
    (self.sample, self.params, self.rows) = (sample, params, rows)
    executable = try device.compile(program.program, named: boundary.name)
    learned = try leaves.map(device.buffer)
  }

  /// Draws samples, `[count] + inputDim`. The first draws do not depend on `count`.
  ///
  /// - Parameter context: the context with one row per draw, or one row for all draws.
  /// - Throws: `FlowError` as the sampler does, `PJRTError`.
  /// - Precondition: `count` is not negative.
  public func callAsFunction(_ key: Key, count: Int, given context: Tensor? = nil) throws -> Tensor {
    require(count >= 0, "a count of samples is not negative, got \(count)")
    var context = context
    if let own = context, own.rank > 0, own.rows == 1 {
      context = own.broadcast(to: own.shape.replacing(0, by: count))
    }
    try sample.boundary.check(context, rows: count)
    let inputs = [context].compactMap { $0 } + program.numbers(key, count: count)
    let (learned, executable) = (learned, executable)
    return try inPieces(of: rows, inputs, count: count) { piece in
      try executable(learned + piece.map(executable.device.buffer))[0]
    } ?? sample(key, params, count: 0, given: context)
  }
}

/// Calls a program with pieces of tensors, of which the last is filled up with its last row. Returns the
/// joined results, or nil for no rows.
private func inPieces(
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

extension Params {
  /// The tree with the weights of mixtures frozen.
  fileprivate var freezingLogits: Params {
    guard case .branch(let children) = self else { return self }
    return .branch(
      children.map { child in
        Child(child.label, child.label == "logWeights" ? child.tree.frozen : child.tree.freezingLogits)
      })
  }
}
