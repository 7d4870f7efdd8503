/// An error of an accountant, a calibration or an audit. It names who noticed it and says what to do.
public enum PrivacyError: Error, Sendable, Equatable {
  /// A number is outside the range that is covered.
  case outOfRange(who: String, what: String, expected: String, got: String)
  /// No noise within the covered range gives the wished guarantee.
  case unreachable(who: String, message: String)
}

extension PrivacyError: CustomStringConvertible {
  /// The error in one sentence.
  public var description: String {
    switch self {
    case .outOfRange(let who, let what, let expected, let got):
      "\(who): expected \(what) \(expected), got \(got)"
    case .unreachable(let who, let message): "\(who): \(message)"
    }
  }
}

/// Stops the program with a message unless a condition holds. Release builds print the message too.
func require(
  _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { fatalError(message(), file: file, line: line) }
}

/// Throws unless a number satisfies a condition. NaN satisfies none.
func check(
  _ condition: Bool, _ who: String, _ what: String, _ expected: String, _ got: some CustomStringConvertible
) throws(PrivacyError) {
  if !condition {
    throw .outOfRange(who: who, what: what, expected: expected, got: got.description)
  }
}

/// Throws unless δ can be asked of an accountant.
func checkDelta(_ delta: Double, _ who: String, from least: Double = 0) throws(PrivacyError) {
  let expected = least > 0 ? "from \(least) to below 1" : "above 0 and below 1"
  try check(delta > 0 && delta >= least && delta < 1, who, "a delta", expected, delta)
}
