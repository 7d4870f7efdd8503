import Bijections
import Distributions
import Files
import Integration
import Tables
import Tensors
import Training

/// A preset flow with a name, built from the settings in a command line or a model file.
package struct Architecture: Sendable {
  package let name: String
  /// The help text: the kind of flow and its use.
  package let purpose: String
  /// The default settings.
  package let defaults: Settings
  /// The settings that the preset uses.
  package let settings: [Setting]
  /// Whether it can learn the shape of one column that depends on no context.
  package let fitsOneColumn: Bool
  /// The flow that gives densities and draws.
  package let build: @Sendable (Settings) -> Flow
  /// The way to train it, if that is not maximum likelihood of the flow itself.
  package let training: (@Sendable (Settings) -> Training)?
  /// The learning rate of its first step; nil for that of `FitSettings`.
  package let learningRate: Double?

  /// Whether it is a continuous flow. These have no layers, and their log-dets have the error of a solver.
  package var isContinuous: Bool { !settings.contains(.layers) }

  /// A flow to train, nil for the one that gives densities, and an objective.
  package typealias Training = (flow: Flow?, objective: any Objective)

  /// The settings of a flow. A value of a wrong type counts as −1, which is out of range.
  package struct Settings: Sendable, Equatable {
    package var values: [Setting: JSON]

    package var layers: Int { values[.layers]?.integer ?? -1 }
    package var hidden: [Int] { values[.hidden]?.array?.map { $0.integer ?? -1 } ?? [-1] }
    package var bins: Int { values[.bins]?.integer ?? -1 }
    package var bound: Double { values[.bound]?.number ?? -1 }
    package var components: Int { values[.components]?.integer ?? -1 }
    package var solverSteps: Int { values[.solverSteps]?.integer ?? -1 }
    package var tails: Double { values[.tails]?.number ?? -1 }
    package var regression: Bool? { values[.regression]?.bool }
    package var prior: LatentPrior? { (values[.prior]?.string).flatMap(LatentPrior.init) }
    /// Half of the steps: a solver may be coarse in training, since held-out rows see all steps.
    package var trainingSteps: Int { (solverSteps + 1) / 2 }

    /// Whether all values are in range.
    package var areSound: Bool {
      (0...1000).contains(layers) && (1...20).contains(hidden.count)
        && hidden.allSatisfy((1...100_000).contains)
        && (2...1000).contains(bins) && bound >= 1e-3 && bound <= 1e6 && (1...1000).contains(components)
        && (1...10_000).contains(solverSteps) && prior != nil && regression != nil
        && (0.5...1000).contains(tails)
    }
  }

  package enum Setting: String, Sendable, CaseIterable {
    case layers, hidden, bins, bound, components, prior, regression, tails
    case solverSteps = "solver-steps"

    /// Whether files of earlier versions are without it.
    package var mayBeMissing: Bool { self == .prior || self == .regression || self == .tails }

    /// The value in files that are without it.
    package var former: JSON {
      switch self {
      case .tails: 2
      case .regression: false
      default: .string(LatentPrior.normal.rawValue)
      }
    }

    /// The values in range, for errors.
    package var expectation: String {
      switch self {
      case .layers: "a whole number from 0 to 1000"
      case .components: "a whole number from 1 to 1000"
      case .hidden: "widths such as 64,64"
      case .bins: "a whole number from 2 to 1000"
      case .bound: "a positive number"
      case .prior: LatentPrior.allCases.map(\.rawValue).joined(separator: ", ")
      case .regression: "yes or no"
      case .tails: "a number from 0.5 to 1000"
      case .solverSteps: "a whole number from 1 to 10000"
      }
    }
  }

  /// A preset with two hidden layers of 64 units, a number of layers if it is no continuous flow, and other
  /// settings.
  private init(
    _ name: String, _ purpose: String, layers: Int? = nil, hidden: JSON = [64, 64], bound: Double = 3,
    bins: Int = 8, components: Int = 8, _ others: [Setting] = [], fitsOneColumn: Bool = false,
    learningRate: Double? = nil,
    training: (@Sendable (Settings) -> Training)? = nil, build: @escaping @Sendable (Settings) -> Flow
  ) {
    (self.name, self.purpose) = (name, purpose)
    self.build = { ($0.prior ?? .normal).flow(build($0)) }
    (self.fitsOneColumn, self.training, self.learningRate) = (fitsOneColumn, training, learningRate)
    settings = (layers == nil ? [.hidden] : [.layers, .hidden]) + others
    defaults = Settings(
      values: [
        .layers: .integer(layers ?? 1), .hidden: hidden, .bins: .integer(bins), .bound: .number(bound),
        .components: .integer(components), .solverSteps: 16, .prior: .string(LatentPrior.normal.rawValue),
        .regression: false, .tails: 4,
      ])
  }

  package static let all: [Architecture] = [
    Architecture(
      "spline-mixture", "autoregressive splines over a mixture of normals: what auto chooses among",
      layers: 3, hidden: [128, 128], bound: 4, components: 1,
      [.bins, .bound, .components, .regression, .tails],
      fitsOneColumn: true
    ) {
      .splineMixture(
        layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound, components: $0.components,
        regression: $0.regression ?? false, tails: $0.tails)
    },
    Architecture(
      "ordered-splines",
      "splines of each column given those before it, so that any can be given: auto for mixed tables",
      layers: 2, hidden: [128, 128], bound: 4, bins: 16, [.bins, .bound], fitsOneColumn: true
    ) { .orderedSplines(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture(
      "nsf", "neural spline couplings: fast densities and draws in many dimensions", layers: 6,
      [.bins, .bound, .prior], fitsOneColumn: true
    ) { .neuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture(
      "nsf-shared", "neural spline couplings with one network for all layers: few parameters", layers: 6,
      [.bins, .bound, .prior], fitsOneColumn: true
    ) { .sharedNeuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture("realnvp", "affine couplings: fast, simple", layers: 8, [.prior]) {
      .realNVP(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture("glow", "affine couplings with learned linear maps between them", layers: 8, [.prior]) {
      .glowVector(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture(
      "maf", "masked autoregressive: sharp densities, slow draws in many dimensions", layers: 5, [.prior]
    ) { .maf(layers: $0.layers, hidden: $0.hidden) },
    Architecture(
      "nsf-ar", "neural spline, autoregressive: the paper's arrangement, slow draws in many dimensions",
      layers: 5, [.bins, .bound, .prior], fitsOneColumn: true
    ) { .autoregressiveNeuralSpline(layers: $0.layers, hidden: $0.hidden, bins: $0.bins, bound: $0.bound) },
    Architecture(
      "flow++", "couplings of logistic mixtures", layers: 6, [.components, .prior], fitsOneColumn: true
    ) { .flowPlusPlus(layers: $0.layers, hidden: $0.hidden, components: $0.components) },
    Architecture("nice", "additive couplings: volume preserving but for a last scale", layers: 4, [.prior]) {
      .nice(layers: $0.layers, hidden: $0.hidden)
    },
    Architecture(
      "ot-flow", "a continuous flow along the gradient of a potential, with short paths: few parameters",
      [.solverSteps], fitsOneColumn: true, learningRate: 0.02,
      training: { (otFlow($0, steps: $0.trainingSteps), .otFlow()) }
    ) { otFlow($0, steps: $0.solverSteps) },
    Architecture(
      "cnf", "a continuous flow along a network, trained as RNODE: smooth densities, slow training",
      [.solverSteps], fitsOneColumn: true, learningRate: 0.005,
      training: { (cnf($0, steps: $0.trainingSteps), .rnode()) }
    ) { cnf($0, steps: $0.solverSteps) },
    Architecture(
      "flow-matching", "a continuous flow along a network, trained without solving: many columns",
      [.solverSteps], fitsOneColumn: true, learningRate: 0.005,
      training: { _ in (nil, FlowMatching()) }
    ) { cnf($0, steps: $0.solverSteps) },
    Architecture(
      "autm", "couplings that integrate a field per column: smooth densities, slow", layers: 6,
      [.solverSteps], fitsOneColumn: true
    ) { .autm(layers: $0.layers, hidden: $0.hidden, steps: $0.solverSteps) },
    Architecture(
      "residual", "residual networks: smooth densities without splits of the columns, slow", layers: 16,
      fitsOneColumn: true, training: { _ in (nil, .rouletteLikelihood()) }
    ) { .residual(layers: $0.layers, hidden: $0.hidden) },
  ]

  /// The preset as a candidate of `select`.
  ///
  /// - Parameter hasRate: Whether the command line gives a learning rate, which comes before the preset's.
  package func candidate(
    _ settings: Settings, standardizing: Standardize? = nil, hasRate: Bool
  ) -> Candidate {
    let training = training?(settings)
    return Candidate(
      name, Model.flow(build(settings), standardizing: standardizing),
      training: training?.flow.map { Model.flow($0, standardizing: standardizing) },
      objective: training?.objective, learningRate: hasRate ? nil : learningRate)
  }

  /// The hidden layers of an OT-Flow have one width: that of the first.
  private static func otFlow(_ settings: Settings, steps: Int) -> Flow {
    .otFlow(width: settings.hidden[0], layers: settings.hidden.count, steps: steps)
  }

  private static func cnf(_ settings: Settings, steps: Int) -> Flow {
    .cnf(hidden: settings.hidden, solver: .steps(steps))
  }

  /// The names of all architectures, for people.
  package static let names = all.map(\.name).joined(separator: ", ")

  /// The choice of auto for tables of mixed columns.
  package static let orderedSplines = named("ordered-splines")!

  package static func named(_ name: String) -> Architecture? { all.first { $0.name == name } }

  /// The settings that the preset uses, for the model file. Those of earlier files go without saying.
  package func json(_ settings: Settings) -> JSON {
    let own = self.settings.filter { !$0.mayBeMissing || settings.values[$0] != $0.former }
    return .object(own.map { JSON.Member($0.rawValue, settings.values[$0] ?? .null) })
  }

  /// Whether the preset takes the widths of the hidden layers. OT-Flow adds the outputs of its layers.
  package func hasSoundWidths(_ settings: Settings) -> Bool {
    name != "ot-flow" || (settings.hidden.count > 1 && Set(settings.hidden).count == 1)
  }

  /// The settings in a model file, or nil if one is missing or out of range.
  package func settings(from json: JSON) -> Settings? {
    var values = defaults
    for setting in settings {
      let own = setting.mayBeMissing ? setting.former : nil
      guard let value = json[setting.rawValue] ?? own else { return nil }
      values.values[setting] = value
    }
    return values.areSound && hasSoundWidths(values) ? values : nil
  }
}
