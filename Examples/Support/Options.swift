/// `--name value` pairs with defaults.
public struct Options {
  private let values: [String: String]

  /// Parses arguments; throws for a name that is not known or has no value.
  public init(_ arguments: [String], known: [String: String]) throws {
    var values = known
    var rest = arguments.dropFirst()
    while let name = rest.popFirst() {
      guard name.hasPrefix("--"), known[String(name.dropFirst(2))] != nil, let value = rest.popFirst() else {
        let names = known.keys.sorted().map { "--\($0)" }.joined(separator: ", ")
        throw UsageError(description: "expected \(names), each with a value; got \(name)")
      }
      values[String(name.dropFirst(2))] = value
    }
    self.values = values
  }

  /// An option's text.
  public func text(_ name: String) -> String { values[name] ?? "" }

  /// An option that is a whole number.
  public func integer(_ name: String) throws -> Int {
    guard let value = Int(text(name)) else {
      throw UsageError(description: "expected a whole number for --\(name), got \(text(name))")
    }
    return value
  }
}

/// What is wrong with a program's arguments.
public struct UsageError: Error, CustomStringConvertible {
  /// One sentence.
  public let description: String
}
