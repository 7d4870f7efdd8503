import Flows

/// A family of flows in the table. All families are fitted in the same way.
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

  /// The target of the fit. A Hamiltonian flow needs standard normal momenta beside it; the normalizer is the
  /// same.
  func extended(_ target: Target) -> Target { self == .hamiltonian ? target.withMomentum() : target }

  /// Fits the family's flow to a target by its ELBO.
  ///
  /// The inverse temperature rises from 1/20 to 1, so that the flow starts wider than the target and loses no
  /// tail. A Hamiltonian flow uses the target's own gradient and needs no annealing.
  func fitted(
    to plain: Target, _ key: Key, iterations: Int, progress: ProgressOutput
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
