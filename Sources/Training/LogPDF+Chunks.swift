import Distributions
import Tensors

extension LogPDF {
  /// Evaluates the log-density of many rows in pieces, with progress where it takes long.
  ///
  /// A row's log-density does not depend on its piece, unless the distribution couples rows, as batch
  /// normalization does in training.
  ///
  /// - Parameters:
  ///   - params: the distribution's parameters.
  ///   - inputs: the rows.
  ///   - size: the rows of one piece.
  ///   - context: one row of context per row.
  ///   - progress: the way to report progress on standard error.
  /// - Throws: the errors of the log-density.
  /// - Precondition: `size` is positive.
  public func inChunks(
    _ params: Params, _ inputs: Tensor, of size: Int = 100_000, given context: Tensor? = nil,
    progress: ProgressOutput = .automatic
  ) throws(FlowError) -> Tensor {
    guard inputs.rank > 0, inputs.rows > size, context.map({ $0.rank > 0 && $0.rows == inputs.rows }) ?? true
    else { return try self(params, inputs, given: context) }
    return try inChunks(params, rows: inputs.rows, of: size, progress: progress) { rows in
      (inputs[rows], context?[rows])
    }
  }

  /// Evaluates the log-density of rows that are read in pieces: one piece at a time is in memory.
  ///
  /// ```swift
  /// let data = try MappedArray("large.npy")
  /// let densities = try logPDF.inChunks(params, rows: data.shape[0]) { (rows) throws(FlowError) in
  ///   (try data.rows(rows), nil)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - params: the distribution's parameters.
  ///   - count: the number of rows.
  ///   - size: the rows of one piece.
  ///   - progress: the way to report progress on standard error.
  ///   - read: gives a range of rows, and their context if the distribution is conditional.
  /// - Throws: the errors of the log-density and of `read`.
  /// - Precondition: `count` is not negative, `size` is positive.
  public func inChunks(
    _ params: Params, rows count: Int, of size: Int = 100_000, progress: ProgressOutput = .automatic,
    _ read: (_ rows: Range<Int>) throws(FlowError) -> (inputs: Tensor, context: Tensor?)
  ) throws(FlowError) -> Tensor {
    require(count >= 0 && size > 0, "rows are taken in pieces of a positive size, got \(count) and \(size)")
    var meter = ProgressMeter(progress, total: count)
    defer { meter.finish() }
    var pieces: [Tensor] = []
    for start in stride(from: 0, to: max(count, 1), by: size) {
      let rows = start..<min(start + size, count)
      let (inputs, context) = try read(rows)
      do throws(FlowError) { pieces.append(try self(params, inputs, given: context)) } catch {
        throw error.withRow { $0 + start }
      }
      if count > size { meter.report(rows.upperBound, "\(rows.upperBound) of \(count) rows") }
    }
    return concatenate(pieces, axis: 0)
  }
}
