/// A parsed command line with options, flags and operands.
///
/// An option is written `--name value` or `--name=value`, a flag `--name`. The word `--` ends the options.
public struct Arguments: Sendable {
  /// A declaration of an option or flag.
  public struct Option: Sendable {
    /// The name without the two dashes.
    public let name: String
    let placeholder: String?
    let fallback: String?
    let help: String

    /// Declares an option with a value, such as `--seed N`. Without a default it may be absent.
    public init(_ name: String, _ placeholder: String, default fallback: String? = nil, _ help: String) {
      (self.name, self.placeholder, self.fallback, self.help) = (name, placeholder, fallback, help)
    }

    /// Declares a flag, such as `--json`.
    public init(flag name: String, _ help: String) {
      (self.name, placeholder, fallback, self.help) = (name, nil, nil, help)
    }
  }

  /// The words that are no options, in order.
  public let operands: [String]
  private let values: [String: String]
  private let flags: Set<String>

  /// Parses the words of a command line.
  ///
  /// - Parameters:
  ///   - line: The words, without the program's name.
  ///   - options: The options of the program.
  ///   - operands: The names of the program's operands. The line must hold as many, or more if the last name
  ///     ends in `...`.
  /// - Throws: `UsageError` for an unknown option, a missing value, or a wrong number of operands.
  public init(_ line: [String], options: [Option], operands expected: [String] = []) throws(UsageError) {
    var (values, flags, operands): ([String: String], Set<String>, [String]) = ([:], [], [])
    for option in options { values[option.name] = option.fallback }
    var rest = line[...]
    while let word = rest.popFirst() {
      if word == "--" {
        operands += rest
        break
      }
      guard word.hasPrefix("--") else {
        operands.append(word)
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let option = options.first(where: { $0.name == parts[0] }) else {
        throw UsageError(
          "unknown option --\(parts[0])\(Arguments.suggestion(for: String(parts[0]), among: options))")
      }
      guard option.placeholder != nil else {
        guard parts.count == 1 else { throw UsageError("--\(option.name) takes no value, got \(parts[1])") }
        flags.insert(option.name)
        continue
      }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw UsageError("--\(option.name) needs a value")
      }
      values[option.name] = value
    }
    let takesMore = expected.last?.hasSuffix("...") == true && operands.count > expected.count
    guard operands.count == expected.count || takesMore else {
      throw operands.count < expected.count
        ? UsageError("expected \(expected[operands.count].prefix { $0 != "." }), got nothing")
        : UsageError("unexpected \(operands[expected.count])")
    }
    (self.operands, self.values, self.flags) = (operands, values, flags)
  }

  /// Whether the command line holds a flag.
  public func has(_ flag: String) -> Bool { flags.contains(flag) }

  /// The value of an option or its default; nil if it has neither.
  public func value(_ name: String) -> String? { values[name] }

  /// The value of an option with a default.
  public func text(_ name: String) -> String { values[name] ?? "" }

  /// The value of an option with a default as a whole number.
  ///
  /// - Throws: `UsageError` for any other text, or a number outside the range.
  public func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int {
    guard let value = Int(text(name)), range.contains(value) else {
      let bounds =
        range.upperBound < .max
        ? " from \(range.lowerBound) to \(range.upperBound)"
        : range.lowerBound > .min ? " of at least \(range.lowerBound)" : ""
      throw UsageError("expected a whole number\(bounds) for --\(name), got \(text(name))")
    }
    return value
  }

  /// The value of an option with a default as one of some names.
  ///
  /// - Throws: `UsageError` for any other name.
  public func choice(_ name: String, of names: [String]) throws(UsageError) -> String {
    let value = text(name)
    guard names.contains(value) else {
      throw UsageError("--\(name): expected \(names.joined(separator: ", ")), got \(value)")
    }
    return value
  }

  /// The value of an option with a default as a real number.
  ///
  /// - Throws: `UsageError` for any other text, or a number outside the range.
  public func number(_ name: String, in range: ClosedRange<Double>) throws(UsageError) -> Double {
    guard let value = Double(text(name)), range.contains(value) else {
      throw UsageError(
        "expected a number from \(range.lowerBound) to \(range.upperBound) for --\(name), got \(text(name))")
    }
    return value
  }

  /// The help text of options, one per line.
  public static func help(_ options: [Option]) -> String {
    help(
      options.map { option in
        let head = "--\(option.name)" + (option.placeholder.map { " \($0)" } ?? "")
        return (head, option.help + (option.fallback.map { " [\($0)]" } ?? ""))
      })
  }

  /// Two columns of text, one row per line.
  public static func help(_ rows: [(head: String, text: String)]) -> String {
    let width = rows.map(\.head.count).max() ?? 0
    return rows.map { head, text in
      "  \(head)\(String(repeating: " ", count: width - head.count))  \(text)"
    }.joined(separator: "\n")
  }

  /// A hint at an option whose name differs by at most two letters.
  private static func suggestion(for name: String, among options: [Option]) -> String {
    let near = options.map { ($0.name, distance(Array($0.name), Array(name))) }.filter { $0.1 <= 2 }
    guard let best = near.min(by: { $0.1 < $1.1 }) else { return "" }
    return "; did you mean --\(best.0)?"
  }

  /// The edit distance of two words: the number of letters to add, drop or change.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let change = diagonal + (x == y ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
      }
    }
    return row[b.count]
  }
}

/// An error in a command line.
public struct UsageError: Error, Equatable, CustomStringConvertible {
  /// The error's message, one line.
  public let description: String
  /// Makes an error with a message of one line.
  public init(_ description: String) { self.description = description }
}
