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
  /// The indices of the rows to train on.
  let training: RowOrder
  /// The indices of the rows held out.
  let heldOut: [Int]
  /// The weights of all rows, with mean 1 over the rows to train on or over those held out; nil where all are
  /// alike.
  private let trainingWeights, heldOutWeights: Tensor?

  /// Checks the rows and splits them by a key. Rows of weight 0 are left out. The folds 0, 1, ... of one
  /// share hold out different rows, until the last of them are reached. Rows that are chosen by their numbers
  /// are held out instead.
  ///
  /// Throws for no rows, values that are not finite, and a context or weights that do not fit.
  init(
    _ data: any RowSource, _ context: Tensor?, _ weights: Tensor?, heldOut share: Double, fold: Int = 0,
    numbers chosen: [Int]? = nil, key: Key, who: String
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
    (self.data, self.context) = (data, context)
    let nonzero = weights?.indicesOfNonzero
    if let nonzero {
      try data.checkFinite(nonzero, who: who, what: "data")
      try context?.checkFinite(nonzero, who: who, what: "context")
    } else {
      try data.checkFinite(0..<count, who: who, what: "data")
      try context?.checkFinite(0..<count, who: who, what: "context")
    }
    let used = nonzero?.count ?? count
    let held = min(Int((Double(used) * share).rounded()), used - 1)
    let order = nonzero.map { RowOrder(shuffling: $0, by: key) } ?? RowOrder(shuffling: 0..<count, by: key)
    let first = min(fold * held, used - held)
    if let chosen {
      (heldOut, training) = (chosen, RowOrder(order, without: Set(chosen)))
    } else {
      heldOut = Array(order[first..<first + held])
      training = RowOrder(order, without: first..<first + held)
    }
    trainingWeights = weights.map { [training] in Self.normalized($0, over: Array(training), data.dtype) }
    heldOutWeights =
      !heldOut.isEmpty ? weights.map { [heldOut] in Self.normalized($0, over: heldOut, data.dtype) } : nil
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

  /// The positions among the held-out rows of the pieces in which they are judged: one piece where they hold
  /// at most four million numbers.
  var heldOutPieces: [Range<Int>] { data.pieces(of: heldOut.count) }

  /// A piece of the held-out rows: their numbers, and their values after `augment` with a key of their own.
  func heldOutPiece(
    _ piece: Int, augment: (_ key: Key, _ rows: Tensor) -> Tensor, _ key: Key
  ) throws -> (numbers: [Int], values: Tensor) {
    let pieces = heldOutPieces
    let numbers = Array(heldOut[pieces[piece]])
    return (numbers, augment(pieces.count == 1 ? key : key.folded(in: piece), try data.rows(numbers)))
  }

  /// The loss of the held-out rows as a function of the parameters, piece by piece; nil where none is held
  /// out. One piece stays in memory; of several, each is read when it is judged.
  ///
  /// Throws where a layer excludes a row.
  ///
  /// - Parameter step: the step of a piece.
  func heldOutLoss(
    _ objective: some Objective, at params: Params, _ step: @escaping (_ piece: Int) throws -> TrainingStep
  ) throws -> ((Params) throws -> Tensor)? {
    let pieces = heldOutPieces
    if pieces.isEmpty { return nil }
    let first = try step(0)
    try first.checkSupport(params, inLayersAlone: true)
    if pieces.count == 1 { return try objective.value(first) }
    for i in pieces.indices.dropFirst() { try step(i).checkSupport(params, inLayersAlone: true) }
    return { params in
      var total = 0.0
      for (i, piece) in pieces.enumerated() {
        total += try objective.value(step(i))(params).item * Double(piece.count)
      }
      return Tensor(total / Double(pieces[pieces.count - 1].upperBound), dtype: .float64)
    }
  }

  /// The weights of some of the rows held out.
  func weightsHeldOut(_ rows: [Int]) -> Tensor? { heldOutWeights?.rows(rows) }

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
