import Arguments
import Flows

/// Output paths, which are checked before any work, since that may take hours.
enum Output {
  /// The endings of the tables that the command writes.
  static let tables = [".csv", ".tsv", ".npy"]

  /// The path in an option, or nil without the option.
  ///
  /// - Throws: `UsageError` for a path with another ending, `FlowError.file` for a folder that cannot be
  ///   written to.
  static func path(_ option: String, _ endings: [String], in arguments: Arguments) throws -> String? {
    guard let path = arguments.value(option) else { return nil }
    guard endings.contains(where: path.lowercased().hasSuffix) else {
      throw UsageError(
        "expected a name that ends in \(endings.joined(separator: ", ")) for --\(option), got \(path)")
    }
    let folder = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : "."
    guard FileBytes.isWritable(folder) else {
      throw FlowError.inFile(path, "expected a folder to write to, got none at \(folder)")
    }
    return path
  }
}

/// A count with its noun, such as `1 epoch` and `2 epochs`.
func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

/// A text on one line: line breaks and other control characters are escaped.
func onOneLine(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { $0.value < 0x20 }) else { return text }
  return text.unicodeScalars.map { $0.value < 0x20 ? $0.escaped(asASCII: true) : String($0) }.joined()
}

/// A number with at most three decimals.
func decimals(_ x: Double) -> String { x.isFinite ? "\((x * 1000).rounded() / 1000)" : "\(x)" }

/// An error with a message of one line for the user.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }

  /// The exit code of an error: 2 for a wrong command line or a wrong file, 1 for others.
  static func code(of error: any Error) -> Int32 {
    switch error {
    case is UsageError: 2
    case FlowError.file, FlowError.structure: 2
    case PJRTError.noPath, PJRTError.notLoaded, PJRTError.notAPlugin, PJRTError.version: 2
    default: 1
    }
  }

  /// The text of an error, on one line unless it prints trees of parameters.
  static func text(of error: any Error) -> String {
    if case FlowError.structure = error { "\(error)" } else { onOneLine("\(error)") }
  }

  /// An error as JSON: the message, the exit code, and the place in a file where there is one.
  static func json(_ message: String, _ code: Int32, _ error: (any Error)?) -> JSON {
    var members: [JSON.Member] = [.init("message", .string(message)), .init("code", .integer(Int(code)))]
    if case FlowError.file(let path, let row, let column, _)? = error {
      members.append(.init("file", .string(path)))
      if let row { members.append(.init("row", .integer(row))) }
      if let column { members.append(.init("column", .integer(column))) }
    }
    return .object(members)
  }
}
