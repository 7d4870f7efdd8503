import Tensors

/// The closeness of draws to the rows that a model was made of, against that of fresh rows.
///
/// Distances are those of ``TableMetrics/distancesToClosest(of:in:)``. A model that has learned the rows'
/// distribution has draws as far from the rows as fresh rows are, and a ``ratio`` of about 1. A model that
/// repeats the rows has a ratio of about 0.
public struct Memorization: Sendable {
  /// The distance of each draw to the closest training row.
  public let ofDraws: [Double]
  /// The distance of each fresh row to the closest training row.
  public let ofFresh: [Double]

  /// Measures the distances of draws and of fresh rows, which no model has seen, to the training rows.
  ///
  /// Columns in which all training rows are equal are left out.
  ///
  /// - Throws: `mismatch` unless all are vectors of one length, with at least one row each, and training rows
  ///   differ; `notFinite` for NaN and infinities.
  public init(of draws: Tensor, training: Tensor, fresh: Tensor) throws(FlowError) {
    for (what, rows) in [("draws", draws), ("training rows", training), ("fresh rows", fresh)] {
      if rows.rank != 2 || rows.count == 0 || training.rank != 2
        || rows.shape.sample != training.shape.sample
      {
        throw .mismatch(
          who: "Memorization", what: what, expected: "[rows, columns] of at least one row, columns alike",
          got: "\(rows.shape)")
      }
    }
    for (what, rows) in [("draws", draws), ("training rows", training), ("fresh rows", fresh)] {
      if let position = rows.firstNonFinite {
        throw .notFinite(who: "Memorization", what: what, row: position / rows.shape[1])
      }
    }
    // A column of one number has no range to measure differences by.
    let varied = (0..<training.shape[1]).filter { i in
      let column = training.sliced(axis: 1, i..<i + 1)
      return column.max(axis: 0).item > column.min(axis: 0).item
    }
    if varied.isEmpty {
      throw .mismatch(
        who: "Memorization", what: "training rows", expected: "with a column of different numbers",
        got: "equal rows")
    }
    func table(_ rows: Tensor) -> ComparedTable {
      ComparedTable(numbers: rows.gathered(Tensor(ints: varied), axis: 1))
    }
    let own = table(training)
    ofDraws = TableMetrics.distancesToClosest(of: table(draws), in: own)
    ofFresh = TableMetrics.distancesToClosest(of: table(fresh), in: own)
  }

  /// The median distance of draws over that of fresh rows; NaN if the latter is 0.
  public var ratio: Double { ofFresh.median == 0 ? .nan : ofDraws.median / ofFresh.median }
  /// The share of draws that are closer to a training row than half of the fresh rows are: ½ without
  /// memorization, 1 for copies.
  public var shareCloser: Double {
    let middle = ofFresh.median
    return Double(ofDraws.count { $0 < middle }) / Double(ofDraws.count)
  }
}

extension ComparedTable {
  /// A table of numbers [rows, columns] with columns 0, 1, ...
  ///
  /// - Precondition: There is a row and a column.
  public init(numbers rows: Tensor) {
    let columns = rows.rank == 2 ? rows.shape[1] : 0
    self.init(
      (0..<columns).map { Column("\($0)", .numbers(rows.sliced(axis: 1, $0..<$0 + 1).doubles)) })
  }
}
