import Arguments
import Flows

/// The context columns of a model with the mean and deviation that standardize them.
struct Given: Equatable {
  let columns: [String]
  private let mean, deviation: [Double]

  /// Computes the mean and deviation of context columns; a constant column keeps its scale.
  init(_ columns: [String], of values: Tensor) {
    let values = values.cast(to: .float64)
    let mean = values.mean(axis: 0)
    (self.columns, self.mean) = (columns, mean.doubles)
    deviation = sqrt(square(values - mean).mean(axis: 0)).doubles.map { $0 > 0 ? $0 : 1 }
  }

  /// Reads the value of `json`; nil for any other JSON.
  init?(_ json: JSON) {
    guard let columns = json["columns"]?.array?.compactMap(\.string), (1...100_000).contains(columns.count),
      let mean = json["mean"]?.array?.compactMap(\.number), mean.count == columns.count,
      let deviation = json["deviation"]?.array?.compactMap(\.number), deviation.count == columns.count,
      (mean + deviation).allSatisfy(\.isFinite), deviation.allSatisfy({ $0 > 0 })
    else { return nil }
    (self.columns, self.mean, self.deviation) = (columns, mean, deviation)
  }

  /// The value for a model file.
  var json: JSON {
    [
      "columns": .strings(columns), "mean": .array(mean.map(JSON.number)),
      "deviation": .array(deviation.map(JSON.number)),
    ]
  }

  /// Standardizes rows of the context columns.
  func standardized(_ rows: Tensor) -> Tensor {
    ((rows.cast(to: .float64) - Tensor(mean, dtype: .float64)) / Tensor(deviation, dtype: .float64)).cast(
      to: rows.dtype)
  }

  /// The standardized row of a text such as `a=1,b=2`.
  func row(_ text: String, dtype: DType) throws(UsageError) -> Tensor {
    func wrong(_ got: some StringProtocol) -> UsageError {
      UsageError("expected \(expectation) for --given, got \(got)")
    }
    var values: [String: Double] = [:]
    for part in text.split(separator: ",") {
      let sides = part.split(separator: "=", maxSplits: 1).map { $0.trimmed }
      guard sides.count == 2, columns.contains(sides[0]), let value = Double(sides[1]), value.isFinite
      else { throw wrong(part) }
      values[sides[0]] = value
    }
    let row = columns.compactMap { values[$0] }
    if row.count != columns.count { throw wrong(text) }
    return standardized(Tensor(row, shape: [1, row.count], dtype: dtype))
  }

  /// The form of such a text, for errors.
  var expectation: String { columns.map { "\($0)=NUMBER" }.joined(separator: ",") }
}

extension Model {
  /// The context in `--given`, one row; nil for a model without a context.
  func context(_ arguments: Arguments) throws(UsageError) -> Tensor? {
    let text = arguments.value("given")
    guard let given else {
      if text != nil { throw UsageError("--given is for models that were fitted with --context") }
      return nil
    }
    guard let text else { throw UsageError("this model needs --given \(given.expectation)") }
    return try given.row(text, dtype: dtype)
  }
}
