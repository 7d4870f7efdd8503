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

/// An error with a message of one line for the user.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
