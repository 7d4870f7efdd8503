import Arguments
import Files
import Flows
@preconcurrency import Foundation
import Synchronization

/// The command line of an example, with the options `--seed`, `--json` and `--output`, and its report.
public struct Program: Sendable {
  private let arguments: Arguments
  private let start = ContinuousClock.now
  /// Whether a file could not be written.
  private let failures = Failures()
  /// The key from `--seed`.
  public let key: Key

  /// Parses the command line and prints the seed. A wrong command line ends the process, and so does an
  /// `--output` to which no file can be written.
  ///
  /// Lines are written as they are printed, to a pipe too.
  ///
  /// - Parameters:
  ///   - output: The default file of the picture; nil for a program without `--output`, or with an option of
  ///     its own for the beginning of several files' names.
  ///   - line: The command line, by default the process' own.
  public init(
    _ name: String, _ purpose: String, options: [Arguments.Option], output: String? = nil,
    line: [String] = Array(CommandLine.arguments.dropFirst())
  ) {
    let picture = output.map { [Arguments.Option("output", "FILE", default: $0, "the file of the picture")] }
    let seed = Arguments.Option("seed", "N", default: "0", "the seed of all random numbers")
    let json = Arguments.Option(flag: "json", "end with the results as JSON on one line")
    let arguments = Arguments.orExit(
      name, purpose, options: options + [seed, json] + (picture ?? []), line: line)
    setvbuf(stdout, nil, _IOLBF, 0)
    self.arguments = arguments
    key = Key(
      Arguments.orExit { () throws(UsageError) in try arguments.integer("seed", in: Int.min...Int.max) })
    print("seed \(arguments.text("seed"))")
    // A path is refused now, not after the work.
    let isPrefix = options.contains { $0.name == "output" }
    if picture != nil || isPrefix {
      let path = arguments.text("output") + (isPrefix ? ".svg" : "")
      orExit { try FileBytes.checkPlace(path) }
    }
  }

  /// The result of a computation. Its error ends the process with code 1 and one line on standard error.
  @discardableResult
  public func orExit<Result>(_ body: () throws -> Result) -> Result {
    do { return try body() } catch { Arguments.end(code: 1, error: "\(error)") }
  }

  /// The whole number of an option. A wrong one ends the process.
  public func integer(_ name: String, in range: ClosedRange<Int> = 1...1_000_000) -> Int {
    Arguments.orExit { () throws(UsageError) in try arguments.integer(name, in: range) }
  }

  /// The name in an option, one of several. Any other name ends the process.
  public func choice(_ name: String, of names: [String]) -> String {
    Arguments.orExit { () throws(UsageError) in try arguments.choice(name, of: names) }
  }

  /// Whether the command line holds a flag.
  public func has(_ flag: String) -> Bool { arguments.has(flag) }

  /// The text of an option.
  public func text(_ name: String) -> String { arguments.text(name) }

  /// Writes a picture, by default to the file in `--output`, and prints the file's path.
  ///
  /// A file that cannot be written costs no results: the error is printed, and `finish` ends the process with
  /// code 1.
  public func write(_ picture: some Picture, to path: String? = nil) {
    write(to: path ?? text("output")) { try picture.write(to: $0) }
  }

  /// Writes a file by a function of its path, and prints the path. Errors are those of a picture.
  public func write(to path: String, _ body: (_ path: String) throws -> Void) {
    do {
      try body(path)
      print("wrote \(path)")
    } catch {
      failures.count.withLock { $0 += 1 }
      Arguments.printError("error: \(error)")
    }
  }

  /// Ends the report: the results as one line of JSON with `--json`, and the run time on standard error. Ends
  /// the process with code 1 if a file could not be written.
  ///
  /// - Parameter results: names and numbers, and objects and lists of these. A number that is not finite
  ///   becomes null.
  public func finish(_ results: [String: Any]) throws {
    if has("json") { print(try Self.json(results)) }
    remark("took \(decimals(Double((ContinuousClock.now - start).components.seconds), 0)) s")
    if failures.count.withLock({ $0 > 0 }) { Arguments.end(code: 1) }
  }

  /// Results as one line of JSON.
  static func json(_ results: [String: Any]) throws -> String {
    func finite(_ value: Any) -> Any {
      if let object = value as? [String: Any] { return object.mapValues(finite) }
      if let list = value as? [Any] { return list.map(finite) }
      if let number = value as? Double, !number.isFinite { return NSNull() }
      if let number = value as? Float, !number.isFinite { return NSNull() }
      return value
    }
    let line = try JSONSerialization.data(withJSONObject: finite(results), options: [.sortedKeys])
    return String(decoding: line, as: UTF8.self)
  }
}

/// The number of files that could not be written.
private final class Failures: Sendable {
  let count = Mutex(0)
}

extension Arguments.Option {
  /// The option `--epochs`.
  public static func epochs(_ count: Int) -> Arguments.Option {
    Arguments.Option("epochs", "N", default: "\(count)", "passes over the data")
  }
}
