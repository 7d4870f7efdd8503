import Bijections
import Distributions
import PJRT
import Randomness
import StableHLO
import Tensors

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
  ///   - params: its parameters.
  ///   - device: the device.
  ///   - rows: the draws of one call.
  /// - Throws: `FlowError.mismatch` with the reason for a sampler without a program; `.structure` for other
  ///   parameters; `PJRTError`.
  /// - Precondition: `rows` is positive.
  public init(_ sample: Sampler, _ params: Params, on device: Device, rows: Int = 1024) throws {
    require(rows > 0, "a program is for at least one row, got \(rows)")
    let boundary = sample.boundary
    try boundary.check(params)
    let leaves = params.learnedLeaves
    var kinds = leaves.map { StableHLOProgram.Kind($0.shape, $0.dtype) }
    if let context = boundary.contextDim { kinds.append(.init(context.batched(rows), boundary.dtype)) }
    let key = Key(0)
    program = try DrawingProgram(boundary.name, of: kinds, drawingFrom: key, rows: rows) { tensors in
      let params = params.replacingLearned(with: Array(tensors.prefix(leaves.count)))
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
    let (learned, executable) = (learned, executable)
    let start = try program.start(key).map(executable.device.buffer)
    var state = Array(start.dropFirst())
    return try inPieces(of: rows, [context].compactMap { $0 }, count: count) { piece in
      let results = try executable(learned + piece.map(executable.device.buffer) + [start[0]] + state)
      state = Array(results.dropFirst())
      return results[0]
    } ?? sample(key, params, count: 0, given: context)
  }

  /// Draws in pieces, those of `Sampler.inChunks`: chunk i comes from `key.folded(in: i)`.
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - count: the number of draws.
  ///   - first: the number of the first draw. The draws are a part of the same long sample.
  ///   - size: the draws of one piece.
  ///   - context: one row per draw, or one row for all.
  /// - Throws: as the call does.
  /// - Precondition: neither `count` nor `first` is negative, `size` is positive. With one row of context per
  ///   draw, `first` is a multiple of `size`.
  public func inChunks(
    _ key: Key, count: Int, from first: Int = 0, of size: Int = 10_000, given context: Tensor? = nil
  ) throws -> Tensor {
    let isShared = context.map { $0.rows == 1 } ?? true
    let pieces = try DrawPiece.all(count, from: first, of: size, isShared: isShared).map { piece in
      piece.kept(
        of: try self(
          key.folded(in: piece.index), count: piece.rows.count,
          given: isShared ? context : context?[piece.rows]))
    }
    return concatenate(pieces, axis: 0)
  }
}
