import Arguments
import Flows

extension FitCommand {
  /// The option for a picture of the losses.
  static let picture = Arguments.Option("picture", "FILE", "draw the losses by steps there (.svg)")

  /// Writes the picture that `--picture` asks for, and adds it to a report.
  static func drawing(
    _ curve: LineChart?, in report: Report, _ arguments: Arguments
  ) throws -> Report {
    guard let path = try Output.path("picture", [".svg"], in: arguments), let curve else { return report }
    try curve.write(to: path)
    var report = report
    report.text += "\nwrote \(path)"
    if case .object(let members) = report.json {
      report.json = .object(members + [.init("picture", .string(path))])
    }
    return report
  }
}
