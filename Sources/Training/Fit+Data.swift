import Randomness
import Tensors

/// The rows that `fit` with a key holds out.
package func rowsHeldOut(of data: some RowSource, share: Double, key: Key) throws -> [Int] {
  try TrainingRows(data, nil, nil, heldOut: share, key: key.folded(in: 1), who: "fit").heldOut
}

/// The rows of a fit to data: those to train on, those held out, and their weights.
struct TrainingRows {
  let data: any RowSource
  let context: Tensor?
  /// The indices of the rows to train on and of those held out.
  let training, heldOut: [Int]
  /// The weights of all rows, with mean 1 over the rows to train on or over those held out; nil where all are
  /// alike.
  private let trainingWeights, heldOutWeights: Tensor?

  /// Checks the rows and splits them by a key. Rows of weight 0 are left out. The folds 0, 1, ... of one
  /// share hold out different rows, until the last of them are reached.
  ///
  /// Throws for no rows, values that are not finite, and a context or weights that do not fit.
  init(
    _ data: any RowSource, _ context: Tensor?, _ weights: Tensor?, heldOut share: Double, fold: Int = 0,
    key: Key, who: String
  ) throws {
    let count = data.shape.rank > 0 ? data.shape[0] : 0
    if data.shape.rank < 2 || count == 0 {
      throw FlowError.mismatch(
        who: who, what: "data", expected: "[rows] + sample with at least one row", got: "\(data.shape)")
    }
    if let context, context.rank < 2 || context.rows != count {
      throw FlowError.mismatch(who: who, what: "context", expected: "\(count) rows", got: "\(context.shape)")
    }
    if let weights { try Self.check(weights, count, who) }
    let rows = weights?.indicesOfNonzero ?? Array(0..<count)
    try data.checkFinite(rows, who: who, what: "data")
    try context?.checkFinite(rows, who: who, what: "context")
    let held = min(Int((Double(rows.count) * share).rounded()), rows.count - 1)
    let order = key.permutation(rows.count).map { rows[$0] }
    (self.data, self.context) = (data, context)
    let first = min(fold * held, rows.count - held)
    let heldOut = Array(order[first..<first + held])
    let training = Array(order[..<first] + order[(first + held)...])
    (self.heldOut, self.training) = (heldOut, training)
    trainingWeights = weights.map { Self.normalized($0, over: training, data.dtype) }
    heldOutWeights = held > 0 ? weights.map { Self.normalized($0, over: heldOut, data.dtype) } : nil
  }

  /// The rows of a data-dependent start: enough of the rows to train on for means and deviations, and at
  /// least a batch.
  ///
  /// They are at most 4096, and at most about a million numbers, so that large images do not take all memory.
  func start(batchSize: Int) -> [Int] {
    let enough = min(4_096, (1 << 20) / max(data.shape.sample.count, 1))
    return Array(training.prefix(max(batchSize, enough)))
  }

  /// The weights of some rows to train on.
  func weights(_ rows: [Int]) -> Tensor? { trainingWeights?.rows(rows) }

  /// The weights of the rows held out.
  var weightsHeldOut: Tensor? { heldOutWeights?.rows(heldOut) }

  private static func check(_ weights: Tensor, _ count: Int, _ who: String) throws(FlowError) {
    if weights.shape != [count] || !weights.dtype.isFloatingPoint {
      throw .mismatch(
        who: who, what: "weights", expected: "one real number for each of \(count) rows",
        got: "\(weights.shape) \(weights.dtype)")
    }
    if let row = weights.firstNonFinite { throw .notFinite(who: who, what: "weights", row: row) }
    let values = weights.doubles
    if let row = values.firstIndex(where: { $0 < 0 }) {
      throw .outsideDomain(who: "\(who) weights", expected: "not negative", got: values[row], row: row)
    }
    if values.allSatisfy({ $0 == 0 }) {
      throw .mismatch(who: who, what: "weights", expected: "one above 0", got: "only 0")
    }
  }

  private static func normalized(_ weights: Tensor, over rows: [Int], _ dtype: DType) -> Tensor {
    let weights = weights.cast(to: .float64)
    return (weights / weights.rows(rows).mean().item).cast(to: dtype)
  }
}
