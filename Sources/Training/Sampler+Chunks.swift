import Distributions
import Randomness
import Tensors

extension Sampler {
  /// Draws in pieces, with progress where it takes long: chunk i of the draws comes from `key.folded(in: i)`.
  ///
  /// The draws depend on `size`, but not on `count`.
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - params: the distribution's parameters.
  ///   - count: the number of draws.
  ///   - size: the draws of one piece.
  ///   - context: one row per draw, or one row for all.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of the sampler.
  /// - Precondition: `count` is not negative, `size` is positive.
  public func inChunks(
    _ key: Key, _ params: Params, count: Int, of size: Int = 10_000, given context: Tensor? = nil,
    progress: ProgressOutput = .automatic
  ) throws(FlowError) -> Tensor {
    var pieces: [Tensor] = []
    try inChunks(key, params, count: count, of: size, given: context, progress: progress) {
      (piece) throws(FlowError) in pieces.append(piece)
    }
    return pieces.count == 1 ? pieces[0] : concatenate(pieces, axis: 0)
  }

  /// Draws in pieces, the same ones, of which one at a time is in memory.
  ///
  /// ```swift
  /// try sample.inChunks(Key(1), params, count: 10_000_000) { draws in total = total + draws.sum(axis: 0) }
  /// ```
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - params: the distribution's parameters.
  ///   - count: the number of draws.
  ///   - size: the draws of one piece.
  ///   - context: one row per draw, or one row for all.
  ///   - progress: the way to report progress on standard error.
  ///   - take: is given the pieces in order; one without rows where `count` is 0.
  /// - Throws: the errors of the sampler and of `take`.
  /// - Precondition: `count` is not negative, `size` is positive.
  public func inChunks(
    _ key: Key, _ params: Params, count: Int, of size: Int = 10_000, given context: Tensor? = nil,
    progress: ProgressOutput = .automatic, _ take: (Tensor) throws(FlowError) -> Void
  ) throws(FlowError) {
    require(count >= 0 && size > 0, "draws come in pieces of a positive size, got \(count) and \(size)")
    var meter = ProgressMeter(progress, total: count)
    defer { meter.finish() }
    let isShared = context?.rows == 1
    for start in stride(from: 0, to: max(count, 1), by: size) {
      let rows = start..<min(start + size, count)
      try take(
        self(
          key.folded(in: start / size), params, count: rows.count, given: isShared ? context : context?[rows])
      )
      if count > size { meter.report(rows.upperBound, "\(rows.upperBound) of \(count) draws") }
    }
  }
}
