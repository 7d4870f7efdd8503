import Distributions
import Randomness
import Tensors
import Training

/// The posterior of a simulator's parameters that `infer` has learned.
public struct InferredPosterior: Sendable {
  /// The density that was learned.
  public let method: InferenceMethod
  /// The prior.
  public let prior: SimulationPrior
  /// The observed data, one row.
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
    let data = try row(data)
    let theta = parameters.cast(to: .float32)
    let contexts = data.broadcast(to: data.shape.replacing(0, by: theta.rank > 0 ? theta.rows : 0))
    guard case .likelihood = method.kind else {
      return try fitted.logPDF(fitted.params, theta, given: contexts)
    }
    let logPrior = try prior.logDensity(theta)
    let isInside = logPrior .> -.infinity
    // The support's middle stands in for parameters outside, which have no image.
    let inside = select(
      where: isInside.reshaped(to: Shape([theta.rows] + [Int](repeating: 1, count: theta.rank - 1))),
      theta, try prior.parameters(of: .zeros(prior.inputDim.batched(1))).parameters)
    let likelihood = try fitted.logPDF(
      fitted.params, contexts, given: try prior.reals(of: inside))
    return select(where: isInside, likelihood + logPrior, -.infinity)
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
    guard isDirect else {
      return try sampleByChains(key, count: count, given: data, chains: chains).parameters
    }
    return try fitted.sample(key, fitted.params, count: count, given: try row(data))
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
    try chains(key, prior: prior, count: count) { try logLikelihood($0, given: data) }
  }

  /// log p(θ | x) − log p(θ) for parameters inside the support.
  private func logLikelihood(_ parameters: Tensor, given data: Tensor?) throws(FlowError) -> Tensor {
    try logDensity(parameters, given: data) - prior.logDensity(parameters)
  }

  private func row(_ data: Tensor?) throws(FlowError) -> Tensor {
    guard let data else { return observed }
    if data.shape == observed.shape {
      let data = data.cast(to: .float32)
      if data.isFinite { return data }
      throw .notFinite(who: "InferredPosterior", what: "data", row: 0)
    }
    throw .mismatch(
      who: "InferredPosterior", what: "data", expected: "one row of shape \(observed.shape)",
      got: "\(data.shape)")
  }
}

// MARK: - Proposals

extension InferredPosterior {
  /// Parameters of the next round's simulations, and the share of the prior's mass where they lie.
  func proposals(_ key: Key, count: Int) throws -> (parameters: Tensor, priorShare: Double) {
    guard case .posterior(_, let later) = method.kind else {
      // Proposals need not follow the posterior exactly, so chains need not have converged.
      let theta = try EnsembleSlice(sweeps: 50, mostSweeps: 300).proposals(key, prior: prior, count: count) {
        try logLikelihood($0, given: nil)
      }
      return (theta, .nan)
    }
    guard case .truncated(let outside) = later else { return (try sample(key, count: count), .nan) }
    return try truncatedPrior(key, count: count, outside: outside)
  }

  /// Draws of the prior whose posterior density is above that of all but a share of the posterior's draws.
  ///
  /// Draws of the prior are rejected. Where some batches do not give enough, the rest are draws of
  /// the posterior, chosen from 64 by weights p / q (sampling importance resampling).
  func truncatedPrior(
    _ key: Key, count: Int, outside: Double, batches: Int = 100
  ) throws -> (parameters: Tensor, priorShare: Double) {
    require((0..<1).contains(outside), "the share outside is in 0..<1, got \(outside)")
    let own = try fitted.sample.withLogPDF(
      key.folded(in: 0), fitted.params, count: 10_000, given: observed)
    let sorted = own.logPDF.doubles.sorted()
    let least = sorted[min(Int(outside * Double(sorted.count)), sorted.count - 1)]
    var (kept, found, tried): ([Tensor], Int, Int) = ([], 0, 0)
    let batch = max(count, 10_000)
    while found < count, tried < batches * batch, found > 0 || tried < 10 * batch {
      let theta = try prior.sample(key.folded(in: 1).folded(in: tried), count: batch)
      let values = try logDensity(theta).doubles
      let inside = values.indices.filter { values[$0] >= least }
      kept.append(theta.rows(Array(inside.prefix(count - found))))
      (found, tried) = (found + inside.count, tried + batch)
    }
    let share = Double(found) / Double(max(tried, 1))
    if found < count {
      let (missing, candidates) = (count - found, 64)
      let draws = try fitted.sample.withLogPDF(
        key.folded(in: 2), fitted.params, count: missing * candidates, given: observed)
      let weights = try prior.logDensity(draws.samples) - draws.logPDF
      let logits = select(where: draws.logPDF .>= least, weights, -1e30)
        .reshaped(to: [missing, candidates])
      let chosen = key.folded(in: 3).categorical(logits: logits).ints
      kept.append(draws.samples.rows(chosen.enumerated().map { $0 * candidates + $1 }))
    }
    return (concatenate(kept, axis: 0), share)
  }
}
