import Arguments
import Flows

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Names of files for results: judged before the work, which may take hours, and not after it.
enum Output {
  /// Kinds of table that the command writes.
  static let tables = [".csv", ".tsv", ".npy"]

  /// The file that an option names, if it does.
  ///
  /// Throws `UsageError` for a name with none of these endings, `FlowError.file` where there is no such folder.
  static func path(_ option: String, _ endings: [String], in arguments: Arguments) throws -> String? {
    guard let path = arguments.value(option) else { return nil }
    guard endings.contains(where: path.lowercased().hasSuffix) else {
      throw UsageError(
        "expected a name that ends in \(endings.joined(separator: ", ")) for --\(option), got \(path)")
    }
    let folder = path.contains("/") ? String(path[...path.lastIndex(of: "/")!]) : "."
    guard access(folder, W_OK) == 0 else {
      throw FlowError.file(
        path: path, row: nil, column: nil, message: "expected a folder to write to, got none at \(folder)")
    }
    return path
  }
}

/// A number of things: `1 epoch`, `2 epochs`.
func counted(_ count: Int, _ thing: String) -> String { "\(count) \(thing)\(count == 1 ? "" : "s")" }

/// What could not be done, in one line, for someone at a command line.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
