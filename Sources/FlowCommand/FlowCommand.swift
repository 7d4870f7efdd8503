import Arguments
import Flows

/// One of the command's own commands.
protocol Subcommand {
  static var name: String { get }
  /// One line.
  static var purpose: String { get }
  /// What follows the name, in order.
  static var operands: [String] { get }
  static var options: [Arguments.Option] { get }
  /// Lines to try.
  static var examples: [String] { get }
  static func run(_ arguments: Arguments) async throws -> Report
}

/// What a subcommand found: for people and for programs.
struct Report {
  /// Lines for people.
  var text: String
  /// The same for programs.
  var json: JSON
  /// 0, or another code where the answer is no.
  var code: Int32 = 0
}

/// `flow`: what it does with a line, apart from the process it runs in.
enum FlowCommand {
  /// What a line came to. 0: done. 1: it could not be done, or a check did not pass. 2: the line is wrong. 130:
  /// interrupted.
  struct Outcome {
    var code: Int32
    var output = ""
    var error: String?
  }

  static var subcommands: [any Subcommand.Type] {
    [FitCommand.self, ScoreCommand.self, SampleCommand.self, CheckCommand.self, DescribeCommand.self]
  }

  /// Runs a line, without the program's name.
  static func run(_ line: [String]) async -> Outcome {
    guard let first = line.first else {
      return Outcome(code: 2, output: help, error: "expected a command, got nothing")
    }
    if ["--help", "-h", "help"].contains(first) { return Outcome(code: 0, output: help) }
    if first == "--version" { return Outcome(code: 0, output: "swift-flows \(libraryVersion)\n") }
    guard let command = subcommands.first(where: { $0.name == first }) else {
      let names = subcommands.map { $0.name }.joined(separator: ", ")
      return Outcome(code: 2, error: "unknown command \(first); there are \(names)")
    }
    if line.contains("--help") || line.contains("-h") { return Outcome(code: 0, output: help(command)) }
    do {
      let arguments = try Arguments(
        Array(line.dropFirst()), options: command.options + [json], operands: command.operands)
      let report = try await command.run(arguments)
      let text = report.text.isEmpty || report.text.hasSuffix("\n") ? report.text : report.text + "\n"
      return Outcome(code: report.code, output: arguments.has("json") ? report.json.text + "\n" : text)
    } catch let error as UsageError {
      return Outcome(code: 2, error: "\(error); flow \(first) --help says more")
    } catch {
      return Outcome(code: 1, error: "\(error)")
    }
  }

  private static let json = Arguments.Option(flag: "json", "print the result as JSON on one line")

  private static var help: String {
    let width = subcommands.map { $0.name.count }.max() ?? 0
    let list = subcommands.map { command in
      "  \(command.name)\(String(repeating: " ", count: width - command.name.count))  \(command.purpose)"
    }
    return """
      Normalizing flows for files of numbers.

      usage: flow COMMAND ...

      \(list.joined(separator: "\n"))

      A first try:
        flow fit data.csv --out model.safetensors
        flow score model.safetensors data.csv
        flow sample model.safetensors --count 1000 --out new.csv --picture new.svg

      flow COMMAND --help explains each one. Codes: 0 done, 1 failed or a check did not pass, 2 a wrong command line.

      """
  }

  private static func help(_ command: any Subcommand.Type) -> String {
    let operands = command.operands.map { " \($0)" }.joined()
    return """
      \(command.purpose)

      usage: flow \(command.name)\(operands) [options]

      \(Arguments.help(command.options + [json]))

      Examples:
      \(command.examples.map { "  \($0)" }.joined(separator: "\n"))

      """
  }
}
