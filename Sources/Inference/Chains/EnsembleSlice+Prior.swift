import Randomness
import Tensors

extension EnsembleSlice {
  /// Draws from the posterior of a prior and a likelihood that is known up to a constant.
  ///
  /// The chains run in the space of all reals and start at draws of the prior that are chosen by likelihood.
  ///
  /// - Parameters:
  ///   - key: the key of all random numbers.
  ///   - prior: the prior.
  ///   - count: the number of draws.
  ///   - logLikelihood: the log-likelihood up to a constant of parameters in float32, one number per row.
  /// - Returns: the parameters, `[count] + parameters`, and the chains' draws in the space of all reals.
  /// - Throws: `verification` if the chains have not converged, or if nearly all draws of the prior have the
  ///   likelihood 0; the errors of the likelihood.
  /// - Precondition: a positive count.
  public func callAsFunction(
    _ key: Key, prior: SimulationPrior, count: Int, logLikelihood: (Tensor) throws -> Tensor
  ) throws -> (parameters: Tensor, chains: Draws) {
    let draws = try self(
      key.folded(in: 1), from: starts(key.folded(in: 0), prior, logLikelihood), count: count
    ) { try Self.logDensity($0, prior, logLikelihood) }
    return (try prior.parameters(ofFlat: draws.draws), draws)
  }

  /// Draws parameters as the call does, converged or not.
  func proposals(
    _ key: Key, prior: SimulationPrior, count: Int, logLikelihood: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let draws = try run(
      key.folded(in: 1), from: starts(key.folded(in: 0), prior, logLikelihood), count: count
    ) { try Self.logDensity($0, prior, logLikelihood) }
    return try prior.parameters(ofFlat: draws.draws)
  }

  /// The log-density of rows z in the space of all reals: log L(θ) + log p(θ) + log |∂θ / ∂z|.
  private static func logDensity(
    _ flat: Tensor, _ prior: SimulationPrior, _ logLikelihood: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let z = flat.cast(to: .float32).reshaped(to: prior.inputDim.batched(flat.rows))
    let (theta, logSlope) = try prior.parameters(of: z)
    let logPrior = try prior.logDensity(theta).cast(to: .float64) + logSlope.cast(to: .float64)
    return try logLikelihood(theta).cast(to: .float64) + logPrior
  }

  /// Draws of the prior in the space of all reals, chosen without replacement by their likelihood.
  private func starts(
    _ key: Key, _ prior: SimulationPrior, _ logLikelihood: (Tensor) throws -> Tensor
  ) throws -> Tensor {
    let candidates = max(4_000, 4 * chains)
    let theta = try prior.sample(key.folded(in: 0), count: candidates)
    let noise = key.folded(in: 1).gumbel([candidates], dtype: .float64)
    let scores = (try logLikelihood(theta).cast(to: .float64) + noise).doubles
    let best = scores.indices.filter { scores[$0] > -.infinity }.sorted { scores[$0] > scores[$1] }
    guard best.count >= chains else {
      throw FlowError.verification(
        who: "EnsembleSlice", message: "the likelihood is 0 or NaN at nearly all draws of the prior")
    }
    let reals = try prior.reals(of: theta.rows(Array(best.prefix(chains))))
    return reals.reshaped(to: [chains, prior.inputDim.count])
  }
}

extension SimulationPrior {
  /// The parameters of flat rows in the space of all reals.
  fileprivate func parameters(ofFlat rows: Tensor) throws(FlowError) -> Tensor {
    try parameters(of: rows.cast(to: .float32).reshaped(to: inputDim.batched(rows.rows))).parameters
  }
}
