import Bijections
import Distributions
import Randomness
import Tensors

/// Simulation-based calibration: ranks each true number among draws from a conditional flow.
///
/// The pairs (θ, data) come from the joint model, θ from the prior and data given θ. For each the flow draws
/// from q(θ | data), and the rank of θᵢ is the number of draws below it. If q is the posterior, ranks are
/// uniform on 0...draws. Ranks that heap in the middle tell of draws that are too wide, at both ends of draws
/// that are too narrow, and at one end of a bias.
///
/// - Parameters:
///   - sample: a conditional flow's sampler.
///   - params: its parameters.
///   - truths: θ, `[pairs] + sample`.
///   - contexts: the data, `[pairs] + context`.
///   - key: the key of the draws; pair i uses `key.folded(in: i)`.
///   - draws: the number of draws per pair.
/// - Returns: the ranks, whole numbers in 0...draws, in the shape of `truths`.
/// - Throws: `mismatch` for truths and contexts that do not fit; the errors of the sampler.
/// - Precondition: at least one draw.
///
/// Talts, Betancourt, Simpson, Vehtari & Gelman 2018, arXiv 1804.06788, algorithm 1.
public func calibrationRanks(
  of sample: Sampler, _ params: Params, truths: Tensor, given contexts: Tensor, key: Key, draws: Int = 100
) throws(FlowError) -> Tensor {
  require(draws > 0, "calibrationRanks needs draws, got \(draws)")
  let dim = sample.boundary.domain.shape
  guard truths.rank == dim.rank + 1, truths.shape.sample == dim, contexts.rank > 1,
    contexts.rows == truths.rows
  else {
    throw .mismatch(
      who: "calibrationRanks", what: "truths and contexts", expected: "[pairs] + \(dim) and as many rows",
      got: "\(truths.shape) and \(contexts.shape)")
  }
  var ranks: [Int] = []
  for i in 0..<truths.rows {
    let x = try sample(key.folded(in: i), params, count: draws, given: contexts[i..<i + 1])
    ranks += (x .< truths[i..<i + 1].cast(to: x.dtype)).sum(axis: 0).doubles.map { Int($0) }
  }
  return Tensor(ints: ranks, shape: truths.shape)
}
