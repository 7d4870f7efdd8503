import Distributions
import PJRT
import Randomness
import Tensors
import Training

/// A model with its functions, made once for many calls. Rows are in the data's units.
package struct OpenModel: Sendable {
  package let model: Model
  private let logPDF: LogPDF
  private let sample: Sampler
  private let params: Params

  package init(_ model: Model) throws(FlowError) {
    self.model = model
    (_, logPDF, sample) = try model.functions(model.dtype)
    params = try model.innerParams()
  }

  /// The log-density of rows, in float64.
  ///
  /// - Parameters:
  ///   - standardized: the rows, standardized in the model's dtype, where they are at hand.
  ///   - context: the standardized context.
  ///   - device: a device that computes instead of this library's kernels.
  package func logDensities(
    of rows: Tensor, standardized: Tensor? = nil, given context: Tensor?, on device: Device? = nil
  ) throws -> Tensor {
    let (scales, dtype) = (model.scales, model.dtype)
    let own = standardized ?? scales?.standardized(rows, roundedTo: dtype) ?? rows.cast(to: dtype)
    let densities =
      if let device {
        try DeviceLogPDF(logPDF, params, on: device, rows: min(max(rows.rows, 1), Self.pieceSize))(
          own, given: context)
      } else {
        try logPDF.inChunks(params, own, given: context, progress: .silent)
      }
    let inner = densities.cast(to: .float64)
    return scales.map { inner + $0.logDet(rows) } ?? inner
  }

  /// Draws rows: float64 from standardized ones, or the model's dtype.
  ///
  /// Draws of a float32 model are rounded to a decimal place, at least seven digits below the deviation.
  /// Draws from `first` on are a part of the same long sample.
  package func draws(
    _ key: Key, count: Int, from first: Int = 0, given context: Tensor?, on device: Device? = nil,
    progress: ProgressOutput
  ) throws -> Tensor {
    guard let device else {
      return restored(
        try sample.inChunks(
          key, params, count: count, from: first, of: Self.pieceSize, given: context, progress: progress))
    }
    let sampler = try DeviceSampler(sample, params, on: device, rows: min(count, Self.pieceSize))
    return restored(try sampler.inChunks(key, count: count, from: first, of: Self.pieceSize, given: context))
  }

  /// The same draws, one piece at a time.
  package func draws(
    _ key: Key, count: Int, from first: Int, given context: Tensor?, progress: ProgressOutput,
    _ take: (Tensor) throws -> Void
  ) throws {
    var failure: (any Error)?
    do {
      try sample.inChunks(
        key, params, count: count, from: first, of: Self.pieceSize, given: context, progress: progress
      ) { (piece) throws(FlowError) in
        do { try take(restored(piece)) } catch {
          failure = error
          throw .verification(who: "sample", message: "\(error)")
        }
      }
    } catch { throw failure ?? error }
  }

  /// The number of draws by one child of a key.
  package static let pieceSize = 10_000

  /// The first draws of a piece of the endless sample of a key.
  package func draws(
    _ key: Key, ofPiece i: Int, count: Int, given context: Tensor?
  ) throws(FlowError) -> Tensor {
    restored(try sample(key.folded(in: i), params, count: count, given: context))
  }

  private func restored(_ inner: Tensor) -> Tensor {
    guard let scales = model.scales else { return inner }
    let rows = scales.restored(inner)
    return model.dtype == .float32 ? scales.rounded(rows) : rows
  }
}
