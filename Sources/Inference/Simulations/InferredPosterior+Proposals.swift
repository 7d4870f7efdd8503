import Distributions
import Randomness
import Tensors
import Training

extension InferredPosterior {
  /// Parameters of the next round's simulations, and the share of the prior's mass where they lie.
  func proposals(_ key: Key, count: Int) throws -> (parameters: Tensor, priorShare: Double) {
    guard case .posterior(_, let later) = method.kind else {
      // Proposals need not follow the posterior exactly, so chains need not have converged.
      let theta = try EnsembleSlice(sweeps: 50, mostSweeps: 300).proposals(key, prior: prior, count: count) {
        try logLikelihood($0, of: observed)
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
