import Randomness
import Tensors

extension TableMetrics {
  /// The distance of each row to the closest row of a reference table (DCR).
  ///
  /// The distance of two rows is the mean over the columns. Numbers differ by min(|x − r| / range, 1), with
  /// the range of the reference; a range of 0 counts any difference as 1. Categories differ by 0 or 1, and so
  /// do a missing value and any other. Two missing values are equal.
  ///
  /// The cost is one subtraction for each pair of rows and each column, on all cores. A small distance is no
  /// proof of a leak, and a large one none of privacy.
  ///
  /// - Precondition: The tables have the same columns.
  public static func distancesToClosest(
    of table: ComparedTable, in reference: ComparedTable
  ) -> [Double] {
    table.requireLike(reference)
    let columns = zip(table.columns, reference.columns).map { DistanceColumn($0.values, $1.values) }
    let results = mapRows(table.rows, of: [reference.rows]) { rows in
      var sums = [Double](repeating: 0, count: reference.rows)
      return [
        Tensor(
          rows.map { row in
            for i in sums.indices { sums[i] = 0 }
            for column in columns { column.add(row, to: &sums) }
            return (sums.min() ?? .nan) / Double(columns.count)
          }, dtype: .float64)
      ]
    }
    return results[0].doubles
  }
}

/// One column of a table and of its reference as numbers. A missing number is infinite.
private struct DistanceColumn: Sendable {
  let values, reference: [Double]
  /// The range of the reference; 0 if only equality counts.
  let range: Double

  init(_ table: ComparedTable.Values, _ reference: ComparedTable.Values) {
    if case (.numbers(let a), .numbers(let b)) = (table, reference) {
      let present = b.present
      range = present.isEmpty ? 0 : present.max()! - present.min()!
      values = a.map { $0.isNaN ? .infinity : $0 }
      self.reference = b.map { $0.isNaN ? .infinity : $0 }
    } else {
      let coded = TableMetrics.coded(table, reference, .ofEachTable)
      range = 0
      (values, self.reference) = (coded.real.map(Double.init), coded.synthetic.map(Double.init))
    }
  }

  /// Adds the distances of one row to all rows of the reference.
  func add(_ row: Int, to sums: inout [Double]) {
    let (x, range) = (values[row], range)
    reference.withUnsafeBufferPointer { reference in
      sums.withUnsafeMutableBufferPointer { sums in
        if range > 0 && x.isFinite {
          for i in sums.indices {
            let difference = abs(reference[i] - x) / range
            sums[i] += difference < 1 ? difference : 1
          }
        } else {
          for i in sums.indices { sums[i] += reference[i] == x ? 0 : 1 }
        }
      }
    }
  }
}

/// The closeness of synthetic rows to the rows that a model was trained on.
public struct RecordDistances: Sendable {
  /// The distance of each synthetic row to the closest training row.
  public let toTraining: [Double]
  /// The distance of each synthetic row to the closest held-out row, if there are held-out rows.
  public let toHeldOut: [Double]?
  /// The distance of each random row to the closest training row.
  public let ofRandom: [Double]

  /// Measures distances to training rows, and to real rows that no model has seen.
  ///
  /// - Parameter key: the key of as many random rows, see ``ComparedTable/random(_:rows:)``.
  /// - Precondition: The tables have the same columns.
  public init(of synthetic: ComparedTable, training: ComparedTable, heldOut: ComparedTable? = nil, key: Key) {
    toTraining = TableMetrics.distancesToClosest(of: synthetic, in: training)
    toHeldOut = heldOut.map { TableMetrics.distancesToClosest(of: synthetic, in: $0) }
    let random = training.random(key, rows: synthetic.rows)
    ofRandom = TableMetrics.distancesToClosest(of: random, in: training)
  }

  /// Holds distances that are known.
  package init(toTraining: [Double], toHeldOut: [Double]?, ofRandom: [Double]) {
    (self.toTraining, self.toHeldOut, self.ofRandom) = (toTraining, toHeldOut, ofRandom)
  }

  /// The median distance of synthetic rows to the closest training row.
  public var medianToTraining: Double { toTraining.median }
  /// The median distance of synthetic rows to the closest held-out row.
  public var medianToHeldOut: Double? { toHeldOut?.median }
  /// The median distance of random rows to the closest training row.
  public var medianOfRandom: Double { ofRandom.median }

  /// The median distance of synthetic rows over that of random rows, at most 1 (`DCRBaselineProtection`); NaN
  /// if the latter is 0.
  public var baselineProtection: Double {
    ofRandom.median == 0 ? .nan : min(toTraining.median / ofRandom.median, 1)
  }

  /// The share of synthetic rows that are closer to a training row than to any held-out row.
  ///
  /// For rows that do not depend on the choice of the training rows it is about the share of training rows
  /// among all real rows, at most. So it is a half if there are as many held-out rows.
  public var shareCloserToTraining: Double? {
    toHeldOut.map { heldOut in
      Double(zip(toTraining, heldOut).count { $0 < $1 }) / Double(toTraining.count)
    }
  }

  /// Twice the share of synthetic rows that are not closer to training rows, at most 1
  /// (`DCROverfittingProtection`).
  public var overfittingProtection: Double? { shareCloserToTraining.map { min((1 - $0) * 2, 1) } }
}
