import Arguments
import FittedModels
import Flows

/// Presets in a command line.
extension Architecture {
  /// A preset with its settings.
  typealias Choice = (architecture: Architecture, settings: Settings)

  /// The presets in a command line, or nil for `auto`.
  ///
  /// - Parameter width: The number of columns.
  static func choices(in arguments: Arguments, width: Int, isConditional: Bool) throws(UsageError)
    -> [Choice]?
  {
    let names = arguments.text("architecture").split(separator: ",").map(String.init)
    if names == ["auto"] {
      if let setting = Setting.allCases.first(where: { arguments.value($0.rawValue) != nil }) {
        throw UsageError(
          "--\(setting.rawValue) does not go with --architecture auto, which chooses it; "
            + "name an architecture, such as spline-mixture")
      }
      return nil
    }
    if let name = names.first(where: { name in names.count { $0 == name } > 1 }) {
      throw UsageError("--architecture names \(name) twice")
    }
    var choices: [Choice] = []
    for name in names {
      if name == "auto" {
        throw UsageError("--architecture auto stands alone: it compares flows of its own")
      }
      guard let architecture = named(name) else {
        throw UsageError("unknown architecture \(name); there are auto, \(Architecture.names)")
      }
      guard architecture.fitsOneColumn || width > 1 || isConditional else {
        throw UsageError(
          "\(name) learns only the mean and the scale of one column: its maps depend on other columns, and "
            + "there are none; take auto, spline-mixture or nsf")
      }
      let settings = try architecture.settings(from: arguments, among: names)
      guard settings.regression != true || isConditional else {
        throw UsageError("--regression is one on the context, and needs --context")
      }
      choices.append((architecture, settings))
    }
    if choices.isEmpty {
      throw UsageError("--architecture needs a name; there are auto, \(Architecture.names)")
    }
    return choices
  }

  /// The settings in a command line.
  ///
  /// - Parameter names: The architectures in the command line. A setting goes with one of them at least.
  func settings(from arguments: Arguments, among names: [String]) throws(UsageError) -> Settings {
    var values = defaults
    for setting in Setting.allCases {
      guard let text = arguments.value(setting.rawValue) else { continue }
      guard settings.contains(setting) else {
        if names.contains(where: { Architecture.named($0)?.settings.contains(setting) ?? false }) { continue }
        throw UsageError("--\(setting.rawValue) does not go with --architecture \(name)")
      }
      func number(_ text: some StringProtocol) -> JSON {
        (setting == .bound ? nil : Int(text).map(JSON.integer)) ?? Double(text).map(JSON.number) ?? .null
      }
      values.values[setting] =
        switch setting {
        case .hidden: .array(text.split(separator: ",").map(number))
        case .prior: .string(text)
        case .regression: text == "yes" ? true : text == "no" ? false : .null
        default: number(text)
        }
      guard values.areSound else {
        throw UsageError("expected \(setting.expectation) for --\(setting.rawValue), got \(text)")
      }
    }
    guard hasSoundWidths(values) else {
      throw UsageError("expected two or more equal widths such as 64,64 for --hidden of \(name)")
    }
    return values
  }
}
