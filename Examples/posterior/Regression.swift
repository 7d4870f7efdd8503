import ExampleSupport
import Flows
import Foundation

/// A logistic regression that predicts from measurements whether a tumour is benign.
///
/// The data are UCI's "Breast Cancer Wisconsin (Diagnostic)", as distributed with scikit-learn; licence CC BY
/// 4.0. They have 569 rows of 30 measurements and the label `benign`, 0 or 1.
struct Regression {
  /// The names of the weights, the intercept first.
  let names: [String]
  let target: Target

  /// Makes the posterior of the weights of the first `count` measurements under normal priors.
  init(features count: Int, priorDeviation: Double) throws {
    let table = try CSV.read(dataFile("breast_cancer", in: .module))
    let values = table.values.cast(to: .float64)
    let labels = values.sliced(axis: 1, 30..<31).reshaped(to: [values.rows])
    let features = values.sliced(axis: 1, 0..<count)
    let standardized = (features - features.mean(axis: 0)) / deviation(features)
    names = ["intercept"] + (table.names ?? []).prefix(count)
    target = .logisticRegression(features: standardized, labels: labels, priorDeviation: priorDeviation)
  }
}
