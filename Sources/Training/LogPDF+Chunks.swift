extension LogPDF {
  /// The log-density of many rows in pieces, with progress where it takes long.
  ///
  /// A row's log-density does not depend on its piece, unless the distribution couples rows, as batch normalization does
  /// in training.
  ///
  /// - Parameters:
  ///   - params: the distribution's parameters.
  ///   - inputs: the rows.
  ///   - size: the rows of one piece.
  ///   - context: one row of context a row.
  ///   - progress: how to report on standard error.
  /// - Throws: what the log-density throws.
  /// - Precondition: `size` is positive.
  public func inChunks(
    _ params: Params, _ inputs: Tensor, of size: Int = 100_000, given context: Tensor? = nil,
    progress: Progress = .automatic
  ) throws(FlowError) -> Tensor {
    require(size > 0, "rows are taken in pieces of a positive size, got \(size)")
    guard inputs.rank > 0, inputs.rows > size, context.map({ $0.rank > 0 && $0.rows == inputs.rows }) ?? true
    else { return try self(params, inputs, given: context) }
    var meter = ProgressMeter(progress, total: inputs.rows)
    defer { meter.finish() }
    var pieces: [Tensor] = []
    for start in stride(from: 0, to: inputs.rows, by: size) {
      let rows = start..<min(start + size, inputs.rows)
      pieces.append(try self(params, inputs[rows], given: context?[rows]))
      meter.report(rows.upperBound, "\(rows.upperBound) of \(inputs.rows) rows")
    }
    return concatenate(pieces, axis: 0)
  }
}
