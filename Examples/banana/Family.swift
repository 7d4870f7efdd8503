import Flows

/// The families of flows of the table, all fitted in the same way.
enum Family: String, CaseIterable {
  case meanField = "mean-field"
  case planar
  case radial
  case sylvester
  case realNVP = "realnvp"
  case neuralSpline = "neural-spline"
  case hamiltonian

  func flow(_ target: Target) -> Flow {
    switch self {
    case .meanField: Flow(Inverted(ActNorm()))
    case .planar: .planar(layers: 16)
    case .radial: .radial(layers: 16)
    case .sylvester: .sylvester(layers: 8, units: 2)
    case .realNVP: .variationalRealNVP(layers: 6)
    case .neuralSpline: .variationalNeuralSpline(layers: 3)
    case .hamiltonian: .hamiltonian(over: target, layers: 8)
    }
  }

  /// A Hamiltonian flow is fitted to the target beside standard normal momenta, of the same normalizer.
  func extended(_ target: Target) -> Target { self == .hamiltonian ? target.withMomentum() : target }

  /// Fits the family's flow to a target by its ELBO. It is annealed from a twentieth of the target's
  /// logarithm: the flow starts wider than the target and loses no tail on its way in. A Hamiltonian flow,
  /// which has the target's own gradient inside, is not.
  func fitted(
    to plain: Target, _ key: Key, iterations: Int, progress: ProgressReporting
  ) throws -> Fitted {
    let isAnnealed = self != .hamiltonian
    let warming = Schedule.linear(from: 0.05, to: 1, steps: iterations * 3 / 5)
    return try fit(
      flow(plain), to: extended(plain),
      by: Annealed(VariationalBound.reverseKL(draws: 256), inverseTemperature: isAnnealed ? warming : 1),
      key: key,
      iterations: iterations,
      optimizer: Chain(
        ClipByGlobalNorm(10), Adam(learningRate: .cosine(isAnnealed ? 5e-3 : 2e-3, steps: iterations))),
      progress: progress)
  }
}
