/// An error that a caller's data can cause. It names who noticed, the expectation and the value found.
///
/// A mistake in the source code, such as adding shapes that do not broadcast, stops the program instead.
/// Release builds print its message too.
public enum FlowError: Error, Sendable {
  /// Something has the wrong shape, dtype or width, is missing, or is unexpected.
  case mismatch(who: String, what: String, expected: String, got: String)
  /// A parameter tree does not have the structure of the architecture. The error prints both.
  case structure(who: String, expected: String, got: String)
  /// A value lies outside the domain of a mapping.
  case outsideDomain(who: String, expected: String, got: Double, row: Int)
  /// A value that must be finite is NaN or infinite.
  case notFinite(who: String, what: String, row: Int?)
  /// A loss, a gradient or a parameter was not finite at a training step.
  ///
  /// The error holds the last good parameters.
  case diverged(who: String, step: Int, what: String, lastGood: Params)
  /// A check found a wrong answer, or could not run.
  case verification(who: String, message: String)
  /// A file could not be read or written, or has unexpected content. Rows and columns count from 1.
  case file(path: String, row: Int?, column: Int?, message: String)
}

extension FlowError: CustomStringConvertible {
  /// The error in one sentence.
  public var description: String {
    switch self {
    case .mismatch(let who, let what, let expected, let got):
      return "\(who): expected \(what) \(expected), got \(got)"
    case .structure(let who, let expected, let got):
      return "\(who): the parameter tree does not match.\nexpected:\n\(expected)\ngot:\n\(got)"
    case .outsideDomain(let who, let expected, let got, let row):
      return "\(who): expected values \(expected), got \(got) in row \(row)"
    case .notFinite(let who, let what, let row):
      return "\(who): expected finite \(what), got NaN or infinity" + (row.map { " in row \($0)" } ?? "")
    case .diverged(let who, let step, let what, _):
      return "\(who): \(what) is not finite at step \(step); the error holds the last good parameters"
    case .verification(let who, let message): return "\(who): \(message)"
    case .file(let path, let row, let column, let message):
      let place = [row.map { "row \($0)" }, column.map { "column \($0)" }].compactMap { $0 }
      return ([path] + place).joined(separator: ", ") + ": " + message
    }
  }
}

extension FlowError {
  /// The same error with the number of its row changed: the rows of a part of a batch have other numbers.
  package func withRow(_ number: (Int) -> Int) -> FlowError {
    switch self {
    case .notFinite(let who, let what, let row?): .notFinite(who: who, what: what, row: number(row))
    case .outsideDomain(let who, let expected, let got, let row):
      .outsideDomain(who: who, expected: expected, got: got, row: number(row))
    default: self
    }
  }
}

extension FlowError: Equatable {
  /// Two errors are equal when their descriptions are.
  public static func == (a: FlowError, b: FlowError) -> Bool { a.description == b.description }
}
