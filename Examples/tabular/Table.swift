import Flows
import Foundation

/// A table of measurements, split and standardized.
///
/// `breast_cancer.csv`: UCI "Breast Cancer Wisconsin (Diagnostic)", 569 rows of 30 measurements and a label, which is not used;
/// `wine.csv`: UCI "Wine", 178 rows of 13 measurements. Both as distributed with scikit-learn; licence CC BY 4.0.
struct Table {
  let training, test: Tensor

  static let names = ["breast_cancer", "wine"]

  /// A fifth of the rows is held out; mean and deviation are those of the others.
  init(_ name: String, _ key: Key) throws {
    guard let path = Bundle.module.path(forResource: name, ofType: "csv") else {
      throw FlowError.file(
        path: "\(name).csv", row: nil, column: nil, message: "not found beside the program")
    }
    let table = try CSV.read(path)
    let columns = (table.names ?? []).indices.filter { table.names?[$0] != "benign" }
    let rows = table.values.gathered(Tensor(ints: columns), axis: 1)
    let order = key.permutation(rows.rows)
    let held = rows.rows / 5
    let (test, training) = (rows.rows(Array(order[..<held])), rows.rows(Array(order[held...])))
    let mean = training.mean(axis: 0)
    let deviation = sqrt(square(training - mean).mean(axis: 0))
    (self.test, self.training) = ((test - mean) / deviation, (training - mean) / deviation)
  }
}
