import ExampleSupport
import Flows
import Foundation

/// A standardized table of measurements in a training and a test part.
///
/// The tables are UCI's "Breast Cancer Wisconsin (Diagnostic)", 569 rows of 30 measurements without the
/// label, and UCI's "Wine", 178 rows of 13 measurements. Both are as distributed with scikit-learn; licence
/// CC BY 4.0.
struct Table {
  let training, test: Tensor

  static let names = ["breast_cancer", "wine"]

  /// Reads a table. The key draws a fifth of the rows for the test; the others give the mean and deviation.
  init(_ name: String, _ key: Key) throws {
    let table = try CSV.read(dataFile(name, in: .module))
    let columns = (table.names ?? []).indices.filter { table.names?[$0] != "benign" }
    let rows = table.values.gathered(Tensor(ints: columns), axis: 1)
    let order = key.permutation(rows.rows)
    let held = rows.rows / 5
    let (test, training) = (rows.rows(Array(order[..<held])), rows.rows(Array(order[held...])))
    let (mean, deviation) = (training.mean(axis: 0), deviation(training))
    (self.test, self.training) = ((test - mean) / deviation, (training - mean) / deviation)
  }
}
