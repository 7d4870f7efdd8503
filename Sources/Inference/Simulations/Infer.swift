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
/// observed data, by the method, and fits anew to all simulations. A tenth of them is held out, the same ones
/// in all rounds. One round gives a posterior for any data; more rounds give a better one for the observed
/// data with as many simulations. A fit learns parameters in the space of all reals and data standardized.
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
  try inferred(
    simulator: simulator, prior: prior, observed: method.checked(observed, embedding), by: method,
    simulations: count, rounds: rounds, embedding: embedding, invalid: treatment, key: key, epochs: epochs,
    optimizer: optimizer, progress: progress)
}

/// Infers parameters from trials: rows of data that are independent given the same parameters.
///
/// ```swift
/// let posterior = try infer(
///   simulator: simulate, prior: prior, trials: data, by: .likelihood(), rounds: 4, key: Key(0))
/// ```
///
/// The simulator draws one trial per row of parameters. The posterior is p(θ) Π p(xᵢ | θ) by a learned
/// likelihood or ratio. A learned posterior takes sets of trials as one row of data, by an embedding such as
/// ``DeepSet``. The other arguments, the result and the errors are those of `infer` with one row of data.
///
/// - Parameter trials: `[trials] + data`.
/// - Throws: `mismatch` for several trials of a learned posterior.
public func infer(
  simulator: Simulator, prior: SimulationPrior, trials: Tensor, by method: InferenceMethod,
  simulations count: Int = 1_000, rounds: Int = 1, embedding: Summary? = nil,
  invalid treatment: InvalidSimulations = .leftOut, key: Key, epochs: Int? = nil,
  optimizer: (any Optimizer)? = nil, progress: ProgressOutput = .automatic
) throws -> InferredPosterior {
  try inferred(
    simulator: simulator, prior: prior, observed: method.checked(trials: trials, embedding), by: method,
    simulations: count, rounds: rounds, embedding: embedding, invalid: treatment, key: key, epochs: epochs,
    optimizer: optimizer, progress: progress)
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
    by: method, prior, embedding, isLater: false, key: key, epochs, optimizer, progress)
  let count = pairs.data.rows + pairs.invalid
  return InferredPosterior(
    method: method, prior: prior, embedding: embedding, observed: observed, fitted: fitted,
    rounds: [.init(simulations: count, invalid: pairs.invalid, priorShare: 1)])
}
