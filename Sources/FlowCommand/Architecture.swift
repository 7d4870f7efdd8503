import Arguments
import Flows

/// A preset flow with a name, built from the settings in a command line or a model file.
struct Architecture: Sendable {
  let name: String
  /// The help text: the kind of flow and its use.
  let purpose: String
  /// The default settings.
  let defaults: Settings
  /// The settings that the preset uses.
  let settings: [Setting]
  let build: @Sendable (Settings) -> Flow

  /// The settings of a flow. A value of a wrong type counts as −1, which is out of range.
  struct Settings: Sendable, Equatable {
    var values: [Setting: JSON]

    var layers: Int { values[.layers]?.integer ?? -1 }
    var hidden: [Int] { values[.hidden]?.array?.map { $0.integer ?? -1 } ?? [-1] }
    var bins: Int { values[.bins]?.integer ?? -1 }
    var bound: Double { values[.bound]?.number ?? -1 }
    var components: Int { values[.components]?.integer ?? -1 }

    /// Whether all values are in range.
    var areSound: Bool {
      (1...1000).contains(layers) && (1...20).contains(hidden.count)
        && hidden.allSatisfy((1...100_000).contains)
        && (2...1000).contains(bins) && bound >= 1e-3 && bound <= 1e6 && (1...1000).contains(components)
    }
  }

  enum Setting: String, Sendable, CaseIterable {
    case layers, hidden, bins, bound, components

    /// The values in range, for errors.
    var expectation: String {
      switch self {
      case .layers, .components: "a whole number from 1 to 1000"
      case .hidden: "widths such as 64,64"
      case .bins: "a whole number from 2 to 1000"
      case .bound: "a positive number"
      }
    }
  }

  /// A preset with a number of layers, two hidden layers of 64 units, and settings beside these two.
  private init(
    _ name: String, _ purpose: String, layers: Int, _ others: [Setting] = [],
    build: @escaping @Sendable (Settings) -> Flow
  ) {
    (self.name, self.purpose, self.build) = (name, purpose, build)
    settings = [.layers, .hidden] + others
    defaults = Settings(
      values: [.layers: .integer(layers), .hidden: [64, 64], .bins: 8, .bound: 3.0, .components: 8])
  }

  static let all: [Architecture] = [
    Architecture("nsf", "neural spline coupling: a good first choice", layers: 6, [.bins, .bound]) {
      .neuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound)
    },
    Architecture("realnvp", "affine couplings: fast, simple", layers: 8) {
      .realNVP(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture("glow", "affine couplings with learned linear maps between them", layers: 8) {
      .glowVector(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture("maf", "masked autoregressive: sharp densities, slow draws in many dimensions", layers: 5) {
      .maf(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture(
      "nsf-ar", "neural spline, autoregressive: the sharpest, slow draws in many dimensions", layers: 5,
      [.bins, .bound]
    ) { .autoregressiveNeuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture("flow++", "couplings of logistic mixtures", layers: 6, [.components]) {
      .flowPlusPlus(layers: $0.layers, hidden: $0.hidden, components: $0.components)
    },
    Architecture("nice", "additive couplings: volume preserving but for a last scale", layers: 4) {
      .nice(layers: $0.layers, hidden: $0.hidden)
    },
  ]

  /// The names of all architectures, for people.
  static let names = all.map(\.name).joined(separator: ", ")

  static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

  /// The settings that the preset uses, for the model file.
  func json(_ settings: Settings) -> JSON {
    .object(self.settings.map { JSON.Member($0.rawValue, settings.values[$0] ?? .null) })
  }

  /// The settings in a model file, or nil if one is missing or out of range.
  func settings(from json: JSON) -> Settings? {
    var values = defaults
    for setting in settings {
      guard let value = json[setting.rawValue] else { return nil }
      values.values[setting] = value
    }
    return values.areSound ? values : nil
  }

  /// The settings in a command line.
  func settings(from arguments: Arguments) throws(UsageError) -> Settings {
    var values = defaults
    for setting in Setting.allCases {
      guard let text = arguments.value(setting.rawValue) else { continue }
      guard settings.contains(setting) else {
        throw UsageError("--\(setting.rawValue) does not go with --architecture \(name)")
      }
      func number(_ text: some StringProtocol) -> JSON {
        (setting == .bound ? nil : Int(text).map(JSON.integer)) ?? Double(text).map(JSON.number) ?? .null
      }
      values.values[setting] =
        setting == .hidden ? .array(text.split(separator: ",").map(number)) : number(text)
      guard values.areSound else {
        throw UsageError("expected \(setting.expectation) for --\(setting.rawValue), got \(text)")
      }
    }
    return values
  }
}
