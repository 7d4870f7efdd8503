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
  ///   - first: the number of the first draw. The draws are a part of the same long sample.
  ///   - size: the draws of one piece.
  ///   - context: one row per draw, or one row for all.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of the sampler.
  /// - Precondition: neither `count` nor `first` is negative, `size` is positive. With one row of context per
  ///   draw, `first` is a multiple of `size`.
  public func inChunks(
    _ key: Key, _ params: Params, count: Int, from first: Int = 0, of size: Int = 10_000,
    given context: Tensor? = nil,
    progress: ProgressOutput = .automatic
  ) throws(FlowError) -> Tensor {
    var pieces: [Tensor] = []
    try inChunks(key, params, count: count, from: first, of: size, given: context, progress: progress) {
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
  ///   - first: the number of the first draw. The draws are a part of the same long sample.
  ///   - size: the draws of one piece.
  ///   - context: one row per draw, or one row for all.
  ///   - progress: the way to report progress on standard error.
  ///   - take: is given the pieces in order; one without rows where `count` is 0.
  /// - Throws: the errors of the sampler and of `take`.
  /// - Precondition: neither `count` nor `first` is negative, `size` is positive. With one row of context per
  ///   draw, `first` is a multiple of `size`.
  public func inChunks(
    _ key: Key, _ params: Params, count: Int, from first: Int = 0, of size: Int = 10_000,
    given context: Tensor? = nil,
    progress: ProgressOutput = .automatic, _ take: (Tensor) throws(FlowError) -> Void
  ) throws(FlowError) {
    let isShared = context.map { $0.rows == 1 } ?? true
    let pieces = DrawPiece.all(count, from: first, of: size, isShared: isShared)
    var meter = ProgressMeter(progress, total: count)
    defer { meter.finish() }
    for piece in pieces {
      let draws = try self(
        key.folded(in: piece.index), params, count: piece.rows.count,
        given: isShared ? context : context?[piece.rows])
      try take(piece.kept(of: draws))
      let done = piece.rows.upperBound
      if count > size { meter.report(done, "\(done) of \(count) draws") }
    }
  }
}

/// A piece of a long sample, drawn from a key of its own.
struct DrawPiece {
  /// The number of the piece, which is that of its key's child.
  let index: Int
  /// The draws of the piece, counted from the first one that is asked for.
  ///
  /// Those before 0 are made too: the draws of a mixture depend on the ones before them.
  let rows: Range<Int>

  /// The draws of the piece that are asked for.
  func kept(of draws: Tensor) -> Tensor {
    rows.lowerBound < 0 ? draws[-rows.lowerBound..<rows.count] : draws
  }

  /// The pieces of `size` draws that hold `count` draws from `first` on; one without draws for a count of 0.
  ///
  /// - Precondition: neither `count` nor `first` is negative, `size` is positive. With one row of context per
  ///   draw, `first` is a multiple of `size`.
  static func all(_ count: Int, from first: Int, of size: Int, isShared: Bool) -> [DrawPiece] {
    require(
      count >= 0 && first >= 0 && size > 0,
      "draws come in pieces of a positive size, got \(count) from \(first) on and \(size)")
    require(
      isShared || first % size == 0,
      "with a row of context per draw the first draw begins a piece of \(size), got \(first)")
    let end = first + count
    return ((first / size)..<max((end + size - 1) / size, first / size + 1)).map { index in
      let start = index * size
      return DrawPiece(index: index, rows: start - first..<min(start + size, end) - first)
    }
  }
}
