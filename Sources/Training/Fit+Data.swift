import Tensors

// What `fit` looks at before it starts, and while it runs.
extension Params {
  /// Whether every number is finite: 0 times anything else is NaN.
  var isFinite: Bool { leaves.allSatisfy { ($0 * 0).sum().item == 0 } }
}

/// Throws for no rows, values that are not finite, and a context that does not fit.
func checkData(_ data: Tensor, _ context: Tensor?) throws(FlowError) {
  if data.rank < 2 || data.rows == 0 {
    throw .mismatch(
      who: "fit", what: "data", expected: "[rows] + sample with at least one row", got: "\(data.shape)")
  }
  if let position = data.firstNonFinite {
    throw .notFinite(who: "fit", what: "data", row: position / max(data.shape.sample.count, 1))
  }
  guard let context else { return }
  if context.rank < 2 || context.rows != data.rows {
    throw .mismatch(who: "fit", what: "context", expected: "\(data.rows) rows", got: "\(context.shape)")
  }
  if let position = context.firstNonFinite {
    throw .notFinite(who: "fit", what: "context", row: position / max(context.shape.sample.count, 1))
  }
}

extension Tensor {
  /// The weights of all rows, divided by the mean of those chosen; nil where none is chosen.
  func normalized(_ rows: [Int], of data: Tensor) throws(FlowError) -> Tensor? {
    if shape != [data.rows] || !dtype.isFloatingPoint {
      throw .mismatch(
        who: "fit", what: "weights", expected: "one real number for each of \(data.rows) rows",
        got: "\(shape) \(dtype)")
    }
    if let row = firstNonFinite { throw .notFinite(who: "fit", what: "weights", row: row) }
    if let row = doubles.firstIndex(where: { $0 < 0 }) {
      throw .outsideDomain(who: "fit weights", expected: "not negative", got: doubles[row], row: row)
    }
    if rows.isEmpty { return nil }
    let weights = cast(to: .float64)
    let mean = weights.rows(rows).mean().item
    if mean == 0 {
      throw .mismatch(
        who: "fit", what: "weights",
        expected: "one above 0 among the rows to train on and among those held out",
        got: "only 0")
    }
    return (weights / mean).cast(to: data.dtype)
  }
}
