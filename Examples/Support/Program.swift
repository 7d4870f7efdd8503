import Arguments
import Flows
@preconcurrency import Foundation

/// The command line of an example, with the options `--seed`, `--json` and `--output`, and its report.
public struct Program: Sendable {
  private let arguments: Arguments
  private let start = ContinuousClock.now
  /// The key from `--seed`.
  public let key: Key

  /// Parses the command line and prints the seed. A wrong command line ends the process.
  ///
  /// Lines are written as they are printed, to a pipe too.
  ///
  /// - Parameter output: The default file of the picture; nil for a program without `--output`.
  public init(_ name: String, _ purpose: String, options: [Arguments.Option], output: String? = nil) {
    let picture = output.map { [Arguments.Option("output", "FILE", default: $0, "the file of the picture")] }
    let seed = Arguments.Option("seed", "N", default: "0", "the seed of all random numbers")
    let json = Arguments.Option(flag: "json", "end with the results as JSON on one line")
    let arguments = Arguments.orExit(name, purpose, options: options + [seed, json] + (picture ?? []))
    setvbuf(stdout, nil, _IOLBF, 0)
    self.arguments = arguments
    key = Key(
      Arguments.orExit { () throws(UsageError) in try arguments.integer("seed", in: Int.min...Int.max) })
    print("seed \(arguments.text("seed"))")
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
  public func write(_ picture: some Picture, to path: String? = nil) throws {
    let path = path ?? text("output")
    try picture.write(to: path)
    print("wrote \(path)")
  }

  /// Ends the report: the results as one line of JSON with `--json`, and the run time on standard error.
  ///
  /// - Parameter results: names and numbers, and objects of these. A number that is not finite becomes null.
  public func finish(_ results: [String: Any]) throws {
    func finite(_ value: Any) -> Any {
      if let object = value as? [String: Any] { return object.mapValues(finite) }
      if let number = value as? Double, !number.isFinite { return NSNull() }
      return value
    }
    if has("json") {
      let line = try JSONSerialization.data(withJSONObject: finite(results), options: [.sortedKeys])
      print(String(decoding: line, as: UTF8.self))
    }
    remark("took \(decimals(Double((ContinuousClock.now - start).components.seconds), 0)) s")
  }
}

extension Arguments.Option {
  /// The option `--epochs`.
  public static func epochs(_ count: Int) -> Arguments.Option {
    Arguments.Option("epochs", "N", default: "\(count)", "passes over the data")
  }
}
