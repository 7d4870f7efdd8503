import Arguments
import Flows

/// A subcommand of `flow`.
protocol Subcommand {
  static var name: String { get }
  /// The help text, one line.
  static var purpose: String { get }
  /// More lines of the help text, below the purpose; empty by default.
  static var details: String { get }
  /// The names of the operands, in order.
  static var operands: [String] { get }
  static var options: [Arguments.Option] { get }
  /// Examples of command lines.
  static var examples: [String] { get }
  /// Runs the command. Warnings go to `notices`.
  static func run(_ arguments: Arguments, noting notices: Notices) async throws -> Report
}

extension Subcommand {
  static var details: String { "" }
}

/// The result of a subcommand, as text and as JSON.
struct Report {
  /// The lines for the user.
  var text: String
  /// The result for programs.
  var json: JSON
  /// The exit code: 0, or another number for a negative result.
  var code: Int32 = 0
}

/// The command `flow` as a function of its command line.
enum FlowCommand {
  /// The outcome of a command line.
  ///
  /// The code is 0 for success, 1 for a failure or a failed check, 2 for a wrong command line or file, and
  /// 130 for an interruption. With `--json` the output is one JSON object in every case.
  struct Outcome {
    var code: Int32
    var output = ""
    var error: String?
    /// The lines to warn of, which are in the object with `--json`.
    var warnings: [String] = []
  }

  static var subcommands: [any Subcommand.Type] {
    [
      FitCommand.self, ScoreCommand.self, SampleCommand.self, CheckCommand.self, DescribeCommand.self,
      CompareCommand.self, FineTuneCommand.self, PrivacyCommand.self, ExportCommand.self,
    ]
  }

  /// Runs a command line, without the program's name.
  ///
  /// - Parameter show: is given each warning at once, unless the output is JSON.
  static func run(
    _ line: [String], show: @escaping @Sendable (String) -> Void = { _ in }
  ) async -> Outcome {
    let isJSON = line.prefix { $0 != "--" }.contains("--json")
    let notices = isJSON ? Notices() : Notices(show: show)
    var outcome = await run(line, isJSON: isJSON, notices)
    outcome.warnings = isJSON ? [] : notices.all
    return outcome
  }

  private static func run(_ line: [String], isJSON: Bool, _ notices: Notices) async -> Outcome {
    func failed(_ code: Int32, _ message: String, _ error: (any Error)? = nil, output: String = "") -> Outcome
    {
      guard isJSON else { return Outcome(code: code, output: output, error: message) }
      let json = completed(["error": Failure.json(message, code, error)], notices)
      return Outcome(code: code, output: json.text + "\n")
    }
    guard let first = line.first else { return failed(2, "expected a command, got nothing", output: help) }
    if first == "help", line.count > 1, line[1] != "--json" {
      return await run([line[1], "--help"], isJSON: isJSON, notices)
    }
    if ["--help", "-h", "help"].contains(first) { return Outcome(code: 0, output: help) }
    if first == "--version" { return Outcome(code: 0, output: "swift-flows \(libraryVersion)\n") }
    guard let command = subcommands.first(where: { $0.name == first }) else {
      let names = subcommands.map { $0.name }.joined(separator: ", ")
      return failed(2, "unknown command \(first); there are \(names)")
    }
    if line.contains("--help") || line.contains("-h") { return Outcome(code: 0, output: help(command)) }
    do {
      let arguments = try Arguments(
        Array(line.dropFirst()), options: command.options + [json], operands: command.operands)
      let report = try await command.run(arguments, noting: notices)
      let text = report.text.isEmpty || report.text.hasSuffix("\n") ? report.text : report.text + "\n"
      return Outcome(code: report.code, output: isJSON ? completed(report.json, notices).text + "\n" : text)
    } catch let error as UsageError {
      return failed(2, onOneLine("\(error); flow \(first) --help says more"), error)
    } catch {
      return failed(Failure.code(of: error), Failure.text(of: error), error)
    }
  }

  /// A result with the warnings, if there are any.
  private static func completed(_ json: JSON, _ notices: Notices) -> JSON {
    guard case .object(let members) = json, !notices.all.isEmpty else { return json }
    return .object(members + [.init("warnings", .strings(notices.all))])
  }

  private static let json = Arguments.Option(flag: "json", "print the result as JSON on one line")

  private static var help: String {
    """
    Normalizing flows for tables of numbers, texts, dates and missing values.

    usage: flow COMMAND ...

    \(Arguments.help(subcommands.map { ($0.name, $0.purpose) }))

    A first try:
      flow fit data.csv --out model.safetensors
      flow score model.safetensors data.csv
      flow sample model.safetensors --count 1000 --out new.csv --picture new.svg

    flow COMMAND --help explains each one. Codes: 0 done, 1 failed or a check did not pass, \
    2 a wrong command line or a wrong file, 130 interrupted.

    """
  }

  private static func help(_ command: any Subcommand.Type) -> String {
    """
    \(command.purpose)
    \(command.details.isEmpty ? "" : "\n\(command.details)\n")
    usage: flow \(([command.name] + command.operands).joined(separator: " ")) [options]

    \(Arguments.help(command.options + [json]))

    Examples:
    \(command.examples.map { "  \($0)" }.joined(separator: "\n"))

    """
  }
}

extension Arguments.Option {
  static let seed = Arguments.Option("seed", "N", default: "0", "the seed of all random numbers")
  static let progress = Arguments.Option(
    "progress", "KIND", default: "auto", "bar, lines, none, or auto: a bar on a terminal")
}

extension Arguments {
  func seed() throws(UsageError) -> Int { try integer("seed", in: Int.min...Int.max) }

  func progress() throws(UsageError) -> ProgressOutput {
    try value("progress", from: ["auto": .automatic, "bar": .bar, "lines": .lines, "none": .silent])
  }

  /// The value that a name in an option stands for.
  func value<T>(_ option: String, from choices: KeyValuePairs<String, T>) throws(UsageError) -> T {
    if let found = choices.first(where: { $0.key == text(option) }) { return found.value }
    let names = choices.map(\.key)
    let list = names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
    throw UsageError("expected \(list) for --\(option), got \(text(option))")
  }
}
