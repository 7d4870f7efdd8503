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

  /// The settings of a flow.
  struct Settings: Sendable, Equatable {
    var layers: Int
    var hidden: [Int]
    var bins = 8
    var bound = 3.0
    var components = 8
  }

  enum Setting: String, Sendable, CaseIterable { case layers, hidden, bins, bound, components }

  static let all: [Architecture] = [
    Architecture(
      name: "nsf", purpose: "neural spline coupling: a good first choice",
      defaults: Settings(layers: 6, hidden: [64, 64]), settings: [.layers, .hidden, .bins, .bound]
    ) { .neuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture(
      name: "realnvp", purpose: "affine couplings: fast, simple",
      defaults: Settings(layers: 8, hidden: [64, 64]), settings: [.layers, .hidden]
    ) { .realNVP(layers: $0.layers, hidden: $0.hidden) },
    Architecture(
      name: "glow", purpose: "affine couplings with learned linear maps between them",
      defaults: Settings(layers: 8, hidden: [64, 64]), settings: [.layers, .hidden]
    ) { .glowVector(layers: $0.layers, hidden: $0.hidden) },
    Architecture(
      name: "maf", purpose: "masked autoregressive: sharp densities, slow draws in many dimensions",
      defaults: Settings(layers: 5, hidden: [64, 64]), settings: [.layers, .hidden]
    ) { .maf(layers: $0.layers, hidden: $0.hidden) },
    Architecture(
      name: "nsf-ar", purpose: "neural spline, autoregressive: the sharpest, slow draws in many dimensions",
      defaults: Settings(layers: 5, hidden: [64, 64]), settings: [.layers, .hidden, .bins, .bound]
    ) { .autoregressiveNeuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture(
      name: "flow++", purpose: "couplings of logistic mixtures",
      defaults: Settings(layers: 6, hidden: [64, 64]), settings: [.layers, .hidden, .components]
    ) { .flowPlusPlus(layers: $0.layers, hidden: $0.hidden, components: $0.components) },
    Architecture(
      name: "nice", purpose: "additive couplings: volume preserving but for a last scale",
      defaults: Settings(layers: 4, hidden: [64, 64]), settings: [.layers, .hidden]
    ) { .nice(layers: $0.layers, hidden: $0.hidden) },
  ]

  static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

  /// The settings that the preset uses, for the model file.
  func json(_ values: Settings) -> JSON {
    .object(
      settings.map { setting in
        let value: JSON =
          switch setting {
          case .layers: .integer(values.layers)
          case .hidden: .array(values.hidden.map(JSON.integer))
          case .bins: .integer(values.bins)
          case .bound: .number(values.bound)
          case .components: .integer(values.components)
          }
        return JSON.Member(setting.rawValue, value)
      })
  }

  /// The settings in a model file, or nil if one is missing or out of range.
  func settings(from json: JSON) -> Settings? {
    var values = defaults
    for setting in settings {
      guard let value = json[setting.rawValue] else { return nil }
      values.set(setting, value)
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
        Int(text).map(JSON.integer) ?? Double(text).map(JSON.number) ?? .null
      }
      values.set(setting, setting == .hidden ? .array(text.split(separator: ",").map(number)) : number(text))
      guard values.areSound else {
        throw UsageError("expected \(setting.expectation) for --\(setting.rawValue), got \(text)")
      }
    }
    return values
  }
}

extension Architecture.Settings {
  /// Sets a value; one of another type becomes out of range.
  mutating func set(_ setting: Architecture.Setting, _ value: JSON) {
    switch setting {
    case .layers: layers = value.integer ?? -1
    case .hidden: hidden = value.array?.map { $0.integer ?? -1 } ?? [-1]
    case .bins: bins = value.integer ?? -1
    case .bound: bound = value.number ?? -1
    case .components: components = value.integer ?? -1
    }
  }

  /// Whether all values are in range.
  var areSound: Bool {
    (1...1000).contains(layers) && (1...20).contains(hidden.count)
      && hidden.allSatisfy((1...100_000).contains)
      && (2...1000).contains(bins) && bound >= 1e-3 && bound <= 1e6 && (1...1000).contains(components)
  }
}

extension Architecture.Setting {
  var expectation: String {
    switch self {
    case .layers: "a whole number from 1 to 1000"
    case .hidden: "widths such as 64,64"
    case .bins: "a whole number from 2 to 1000"
    case .bound: "a positive number"
    case .components: "a whole number from 1 to 1000"
    }
  }
}
