/// `--name value` pairs with defaults.
struct Options {
  private let values: [String: String]

  /// Parses arguments; throws for a name that is not known or has no value.
  init(_ arguments: [String], known: [String: String]) throws {
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

  func text(_ name: String) throws -> String { values[name] ?? "" }

  func integer(_ name: String) throws -> Int {
    guard let value = Int(try text(name)) else {
      throw UsageError(description: "expected a whole number for --\(name), got \(try text(name))")
    }
    return value
  }
}

struct UsageError: Error, CustomStringConvertible { let description: String }
