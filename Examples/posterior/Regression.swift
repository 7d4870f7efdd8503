import Flows
import Foundation

/// A logistic regression of real measurements of tumours: is one benign?
///
/// `breast_cancer.csv`: UCI "Breast Cancer Wisconsin (Diagnostic)", as distributed with scikit-learn; 569 rows of 30 measurements and the
/// label `benign`, 0 or 1; licence CC BY 4.0.
struct Regression {
  /// What the weights belong to, the intercept first.
  let names: [String]
  let target: Target

  /// The posterior of the weights of the first measurements, standardized, under normal priors.
  init(features count: Int, priorDeviation: Double) throws {
    guard let path = Bundle.module.path(forResource: "breast_cancer", ofType: "csv") else {
      throw FlowError.file(
        path: "breast_cancer.csv", row: nil, column: nil, message: "not found beside the program")
    }
    let table = try CSV.read(path)
    let values = table.values.cast(to: .float64)
    let labels = values.sliced(axis: 1, 30..<31).reshaped(to: [values.rows])
    let features = values.sliced(axis: 1, 0..<count)
    let centered = features - features.mean(axis: 0)
    let standardized = centered / sqrt(square(centered).mean(axis: 0))
    names = ["intercept"] + (table.names ?? []).prefix(count)
    target = .logisticRegression(features: standardized, labels: labels, priorDeviation: priorDeviation)
  }
}
