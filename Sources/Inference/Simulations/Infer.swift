import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import Training

/// Infers the parameters of a simulator from observed data, without a likelihood.
///
/// ```swift
/// let posterior = try infer(
///   simulator: { key, theta in theta + 0.5 * key.normal(theta.shape) },
///   prior: .uniform(from: [-1, -1], to: [1, 1]), observed: Tensor([[0.3, -0.2]]), key: Key(0))
/// let draws = try posterior.sample(Key(1), count: 1_000)
/// ```
///
/// The first round simulates at draws of the prior. Each later round simulates at parameters that suit the
/// observed data, by the method, and fits again to all simulations, from the parameters of the round before.
/// One round gives a posterior for any data; more rounds give a better one for the observed data with as
/// many simulations. A fit learns parameters in the space of all reals and data standardized.
///
/// The result has the same bits for the same key.
///
/// Review and benchmark: Cranmer, Brehmer & Louppe 2020, arXiv 1911.01429; Lueckmann et al. 2021, arXiv
/// 2101.04653.
///
/// - Parameters:
///   - simulator: draws a row of data for each row of parameters.
///   - prior: the prior of the parameters.
///   - observed: the observed data, one row: `[1] + data`.
///   - method: the density to learn.
///   - simulations: the simulations per round.
///   - rounds: the number of rounds.
///   - embedding: a learned embedding of the data, such as a ``DeepSet`` for exchangeable observations. It
///     sees standardized data and is trained with the density. A likelihood takes none.
///   - treatment: the treatment of simulations that fail.
///   - key: the key of draws, simulations and fits.
///   - epochs: the most passes over the simulations per fit; nil for those of ``FitSettings``.
///   - optimizer: the optimizer of each fit; nil for that of ``FitSettings``.
///   - progress: the way to report progress on standard error.
/// - Returns: the posterior, and a record of each round.
/// - Throws:
///   - `mismatch` for observed data that are not one row of the simulator's shape, and for an embedding of a
///     likelihood;
///   - `mismatch` for data that a flow or network cannot take, and if all simulations of a round fail;
///   - `notFinite` for observed data with NaN or infinity, and for a failed simulation that is refused;
///   - the errors of the simulator, of `fit`, and of chains.
/// - Precondition: positive simulations and rounds; at least one atom; a share outside in 0..<1.
public func infer(
  simulator: Simulator, prior: SimulationPrior, observed: Tensor, by method: InferenceMethod = .posterior(),
  simulations count: Int = 1_000, rounds: Int = 1, embedding: Summary? = nil,
  invalid treatment: InvalidSimulations = .leftOut, key: Key, epochs: Int? = nil,
  optimizer: (any Optimizer)? = nil, progress: ProgressOutput = .automatic
) throws -> InferredPosterior {
  require(count > 0 && rounds > 0, "infer needs simulations and rounds, got \(count) and \(rounds)")
  let observed = try method.checked(observed, embedding)
  var (all, records): (SimulationSet?, [InferredPosterior.Round]) = (nil, [])
  var posterior: InferredPosterior?
  for round in 0..<rounds {
    let key = key.folded(in: round)
    let (theta, share) =
      try posterior?.proposals(key.folded(in: 0), count: count)
      ?? (prior.sample(key.folded(in: 0), count: count), 1)
    let fresh = try SimulationSet(simulator, at: theta, key: key.folded(in: 1), invalid: treatment)
    try fresh.check(observed)
    let pairs = all?.joined(with: fresh) ?? fresh
    all = pairs
    records.append(.init(simulations: count, invalid: fresh.invalid, priorShare: share))
    let fitted = try pairs.fitted(
      by: method, prior, embedding, start: posterior?.fitted.params, key: key.folded(in: 2),
      epochs, optimizer, progress)
    posterior = InferredPosterior(
      method: method, prior: prior, observed: observed, fitted: fitted, rounds: records)
  }
  guard let posterior else { fatalError("there is a round") }
  return posterior
}

/// Infers parameters from pairs that were simulated before, in one round.
///
/// ```swift
/// let pairs = try SimulationSet(parameters: theta, data: x)
/// let posterior = try infer(from: pairs, prior: prior, observed: observed, key: Key(0))
/// ```
///
/// The parameters of the pairs are draws of the prior. The other arguments, the result and the errors are
/// those of `infer` with a simulator.
public func infer(
  from pairs: SimulationSet, prior: SimulationPrior, observed: Tensor,
  by method: InferenceMethod = .posterior(), embedding: Summary? = nil, key: Key, epochs: Int? = nil,
  optimizer: (any Optimizer)? = nil, progress: ProgressOutput = .automatic
) throws -> InferredPosterior {
  let observed = try method.checked(observed, embedding)
  try pairs.check(observed)
  guard pairs.parameters.shape.sample == prior.inputDim else {
    throw FlowError.mismatch(
      who: "infer", what: "parameters of pairs", expected: "[pairs] + \(prior.inputDim), as the prior's",
      got: "\(pairs.parameters.shape)")
  }
  let fitted = try pairs.fitted(
    by: method, prior, embedding, start: nil, key: key, epochs, optimizer, progress)
  let count = pairs.data.rows + pairs.invalid
  return InferredPosterior(
    method: method, prior: prior, observed: observed, fitted: fitted,
    rounds: [.init(simulations: count, invalid: pairs.invalid, priorShare: 1)])
}

extension InferenceMethod {
  /// Observed data in float32. Throws unless they are one row of finite numbers, and for an embedding of a
  /// likelihood.
  fileprivate func checked(_ observed: Tensor, _ embedding: Summary?) throws(FlowError) -> Tensor {
    let observed = observed.cast(to: .float32)
    guard observed.rank > 1, observed.rows == 1 else {
      throw .mismatch(
        who: "infer", what: "observed data", expected: "one row, [1] + data", got: "\(observed.shape)")
    }
    if !observed.isFinite { throw .notFinite(who: "infer", what: "observed data", row: 0) }
    if case .likelihood = kind, embedding != nil {
      throw .mismatch(who: "infer", what: "an embedding", expected: "none for a likelihood", got: "one")
    }
    return observed
  }
}

extension SimulationSet {
  /// Throws unless observed data have the shape of simulated ones.
  fileprivate func check(_ observed: Tensor) throws(FlowError) {
    guard data.shape.sample == observed.shape.sample else {
      throw .mismatch(
        who: "infer", what: "observed data", expected: "[1] + \(data.shape.sample)", got: "\(observed.shape)")
    }
  }

  /// Fits the density of a method.
  fileprivate func fitted(
    by method: InferenceMethod, _ prior: SimulationPrior, _ embedding: Summary?, start: Params?, key: Key,
    _ epochs: Int?, _ optimizer: (any Optimizer)?, _ progress: ProgressOutput
  ) throws -> Fitted {
    let reals = try prior.reals(of: parameters)
    func seeing<Base: Distribution>(_ base: Base) -> any Distribution {
      guard let embedding else { return Conditioned(base, by: NormalizedContext()) }
      return Conditioned(Conditioned(base, by: embedding), by: NormalizedContext())
    }
    func run(
      _ distribution: any Distribution, _ rows: Tensor, _ context: Tensor, _ objective: some Objective
    ) throws -> Fitted {
      try fit(
        distribution, to: rows, given: context, by: objective, start: start, key: key, epochs: epochs,
        optimizer: optimizer, progress: progress)
    }
    func contrastive(_ atoms: Int) -> Contrastive {
      Contrastive(atoms: atoms) { try prior.uncheckedLogDensity($0) }
    }
    switch method.kind {
    case .posterior(let flow, let later):
      let model = seeing(
        Flow(Serial(prior.toReals, Standardize(of: reals), flow.bijection), prior: flow.prior))
      if start != nil, case .atomic(let atoms) = later {
        return try run(model, parameters, data, contrastive(atoms))
      }
      return try run(model, parameters, data, .maximumLikelihood)
    case .likelihood(let flow):
      let model = Flow(Serial(Standardize(of: data), flow.bijection), prior: flow.prior)
      return try run(
        Conditioned(model, by: NormalizedContext()), data, reals, .maximumLikelihood)
    case .ratio(let network, let atoms):
      let model = seeing(RatioDensity(network: network, prior: prior, standardize: Standardize(of: reals)))
      return try run(model, parameters, data, contrastive(atoms))
    }
  }
}
