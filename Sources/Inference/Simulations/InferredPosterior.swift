import Distributions
import Networks
import Randomness
import Tensors
import Training

/// The posterior of a simulator's parameters that `infer` has learned.
public struct InferredPosterior: Sendable {
  /// The density that was learned.
  public let method: InferenceMethod
  /// The prior.
  public let prior: SimulationPrior
  /// The embedding of the data; nil for none.
  public let embedding: Summary?
  /// The observed data: one row, or a row per trial.
  public let observed: Tensor
  /// The fit of the last round: of the posterior, the likelihood or the ratio.
  public let fitted: Fitted
  /// A record of each round.
  public let rounds: [Round]

  /// A round of simulations.
  public struct Round: Sendable, Hashable {
    /// The number of simulations.
    public let simulations: Int
    /// The number of those that failed and were left out.
    public let invalid: Int
    /// The share of the prior's mass where parameters were proposed; 1 in the first round, NaN where they
    /// were drawn from the posterior so far.
    public let priorShare: Double
  }

  /// Whether draws come from the flow itself, not from chains.
  public var isDirect: Bool {
    if case .posterior = method.kind { return true }
    return false
  }

  /// log p(θ | x) of parameters, one number per row; −∞ outside the prior's support.
  ///
  /// A learned posterior is normalized. A likelihood or a ratio gives it up to a function of the data.
  ///
  /// - Parameters:
  ///   - parameters: `[rows] + parameters`.
  ///   - data: one row of data; nil for the observed ones. After several rounds other data are less exact.
  /// - Throws: `mismatch` for other shapes, `notFinite` for data with NaN or infinity.
  public func logDensity(_ parameters: Tensor, given data: Tensor? = nil) throws(FlowError) -> Tensor {
    try logDensity(parameters, of: observedOrRow(data))
  }

  /// Draws parameters, `[count] + parameters`: from the flow of a posterior, by chains otherwise.
  ///
  /// - Parameters:
  ///   - key: the key of the draws.
  ///   - count: the number of draws.
  ///   - data: one row of data; nil for the observed ones.
  ///   - chains: the settings of the chains.
  /// - Throws: `verification` if the chains do not converge, `mismatch` for other shapes, and `notFinite` for
  ///   data with NaN or infinity.
  /// - Precondition: a positive count.
  public func sample(
    _ key: Key, count: Int, given data: Tensor? = nil, chains: EnsembleSlice = EnsembleSlice()
  ) throws -> Tensor {
    let data = try observedOrRow(data)
    if isDirect { return try fitted.sample(key, fitted.params, count: count, given: data) }
    return try sampleByChains(key, count: count, of: data, chains).parameters
  }

  /// Draws parameters by chains on `logDensity`, with their diagnostics.
  ///
  /// The chains run in the space of all reals. They start at draws of the prior that are chosen by
  /// likelihood.
  ///
  /// - Throws: as `sample`.
  public func sampleByChains(
    _ key: Key, count: Int, given data: Tensor? = nil, chains: EnsembleSlice = EnsembleSlice()
  ) throws -> (parameters: Tensor, chains: EnsembleSlice.Draws) {
    try sampleByChains(key, count: count, of: observedOrRow(data), chains)
  }

  func sampleByChains(
    _ key: Key, count: Int, of trials: Tensor, _ chains: EnsembleSlice
  ) throws -> (parameters: Tensor, chains: EnsembleSlice.Draws) {
    try chains(key, prior: prior, count: count) { try logLikelihood($0, of: trials) }
  }

  /// log p(θ | trials) − log p(θ) for parameters inside the support.
  func logLikelihood(_ parameters: Tensor, of trials: Tensor) throws(FlowError) -> Tensor {
    try logDensity(parameters, of: trials) - prior.logDensity(parameters)
  }

  private func observedOrRow(_ data: Tensor?) throws(FlowError) -> Tensor {
    guard let data else { return observed }
    let expected = observed.shape.replacing(0, by: 1)
    guard data.shape == expected else {
      throw .mismatch(
        who: "InferredPosterior", what: "data", expected: "one row of shape \(expected)", got: "\(data.shape)"
      )
    }
    return try checked(data)
  }

  /// Rows of data in float32. Throws for another shape of a row, no rows, and NaN or infinity.
  func checked(_ rows: Tensor) throws(FlowError) -> Tensor {
    guard rows.rank == observed.rank, rows.shape.sample == observed.shape.sample, rows.rows > 0 else {
      throw .mismatch(
        who: "InferredPosterior", what: "data", expected: "rows of shape \(observed.shape.sample)",
        got: "\(rows.shape)")
    }
    let rows = rows.cast(to: .float32)
    guard let place = rows.firstNonFinite else { return rows }
    throw .notFinite(
      who: "InferredPosterior", what: "data", row: place / max(observed.shape.sample.count, 1))
  }
}
