import Flows

/// The families of flows of the table, all fitted in the same way.
enum Family: String, CaseIterable {
  case meanField = "mean field"
  case planar = "planar"
  case radial = "radial"
  case sylvester = "Sylvester"
  case realNVP = "RealNVP"
  case neuralSpline = "neural spline"
  case hamiltonian = "Hamiltonian"

  func flow(_ target: Target) -> Flow {
    switch self {
    case .meanField: Flow(Inverted(ActNorm()))
    case .planar: .planar(layers: 16)
    case .radial: .radial(layers: 16)
    case .sylvester: .sylvester(layers: 8, units: 2)
    case .realNVP: .variationalRealNVP(layers: 6)
    case .neuralSpline: .variationalNeuralSpline(layers: 3, bins: 10, bound: 8)
    case .hamiltonian: .hamiltonian(over: target, layers: 8)
    }
  }

  /// A Hamiltonian flow is fitted to the target beside standard normal momenta, of the same normalizer.
  func extended(_ target: Target) -> Target { self == .hamiltonian ? target.withMomentum() : target }

  static let objective = ReverseKL(draws: 256)
  static func optimizer(_ iterations: Int) -> any Optimizer {
    Chain(ClipByGlobalNorm(10), Adam(learningRate: .cosine(5e-3, steps: iterations)))
  }
}

/// log-normalizer − ELBO, of every target with every family.
struct GapTable {
  let key: Key
  let iterations: Int

  func print() throws {
    let targets = [
      try Target(Banana(curvature: 0.1, variance: 100), inputDim: 2, name: "banana"),
      try Target(Funnel(), inputDim: 2, name: "funnel"), try Target(Cross(), inputDim: 2, name: "cross"),
      try Target(WarpedGaussian(), inputDim: 2, name: "warped"),
      try Target(
        GaussianMixture(
          means: [[-3, 0], [2, 2], [0, -4]],
          covariances: [[[1, 0.3], [0.3, 0.5]], [[0.25, 0], [0, 0.25]], [[2, -0.9], [-0.9, 1]]],
          weights: [0.8, 0.15, 0.05]), inputDim: 2, name: "mixture"),
    ]
    Swift.print("log-normalizer - ELBO in nats (k-hat), 20000 draws; \(iterations) iterations of 256 draws")
    Swift.print((["family"] + targets.map(\.name)).map { padded($0, 16) }.joined())
    for (row, family) in Family.allCases.enumerated() {
      var cells = [padded(family.rawValue, 16)]
      for (column, plain) in targets.enumerated() {
        let target = family.extended(plain)
        let key = key.folded(in: row).folded(in: column)
        cells.append(padded(try cell(family.flow(plain), target, key), 16))
      }
      Swift.print(cells.joined())
    }
  }

  private func cell(_ flow: Flow, _ target: Target, _ key: Key) throws -> String {
    do {
      let fitted = try fit(
        flow, to: target, by: Family.objective, key: key.folded(in: 0), iterations: iterations,
        optimizer: Family.optimizer(iterations), progress: .silent)
      let weights = try ImportanceWeights(
        fitted.sample, fitted.params, of: target, key: key.folded(in: 1), draws: 20_000)
      return "\(rounded((target.logNormalizer ?? .nan) - weights.elbo, 4)) (\(rounded(weights.paretoK, 2)))"
    } catch FlowError.diverged { return "diverged" }
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
