import Arguments
import FittedModels
import Flows

/// Contexts in a command line.
extension Given {
  /// Standardizes rows of the context columns.
  ///
  /// - Throws: `UsageError` for a number that the dtype cannot hold once it is standardized.
  func standardized(_ rows: Tensor, _ dtype: DType) throws(UsageError) -> Tensor {
    let result = scales.standardized(rows).cast(to: dtype)
    guard let position = result.firstNonFinite else { return result }
    let (row, column) = (position / columns.count, position % columns.count)
    throw UsageError(
      "expected a context near the model's data, got \(columns[column])="
        + "\(rows[row..<row + 1].doubles[column]), which is beyond \(dtype) once it is standardized"
    )
  }

  /// The row of a text such as `a=1,b=2`, in float64. A name with a comma is in quotes with its number.
  func row(_ text: String) throws(UsageError) -> Tensor {
    func wrong(_ got: some StringProtocol) -> UsageError {
      UsageError("expected \(expectation) for --given, got \(got)")
    }
    let parts = try Table.fields(of: text, in: "given")
    var values: [String: Double] = [:]
    for part in parts {
      guard let mark = part.lastIndex(of: "=") else { throw wrong(part) }
      let name = String(part[..<mark])
      let column = columns.first { $0 == name } ?? name.trimmed
      guard columns.contains(column), let value = Double(part[part.index(after: mark)...].trimmed),
        value.isFinite
      else { throw wrong(part) }
      guard values.updateValue(value, forKey: column) == nil else {
        throw UsageError("expected \(column) once in --given, got it twice")
      }
    }
    let row = columns.compactMap { values[$0] }
    if row.count != columns.count { throw wrong(text) }
    return Tensor(doubles: row, shape: [1, row.count])
  }

  /// The form of such a text, for errors.
  var expectation: String { columns.map { "\($0)=NUMBER" }.joined(separator: ",") }
}

extension Model {
  /// The standardized context in `--given`, one row; nil for a model without a context.
  ///
  /// It warns of a number more than ten standard deviations from the mean of the data.
  func context(_ arguments: Arguments, noting notices: Notices) throws(UsageError) -> Tensor? {
    let text = arguments.value("given")
    guard let given else {
      if text != nil { throw UsageError("--given is for models that were fitted with --context or --type") }
      return nil
    }
    guard let text else { throw UsageError("this model needs --given \(given.expectation)") }
    let row = try given.row(text)
    let result = try given.standardized(row, dtype)
    for (column, distance) in result.doubles.enumerated() where abs(distance) > 10 {
      notices.warn(
        "--given \(given.columns[column])=\(row.doubles[column]) is \(decimals(distance)) standard "
          + "deviations from the mean of the data, where the model knows nothing")
    }
    return result
  }
}

extension StringProtocol {
  /// The text without spaces at its ends.
  var trimmed: String {
    String(String(drop { $0 == " " }.reversed()).drop { $0 == " " }.reversed())
  }
}
