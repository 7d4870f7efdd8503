import Bijections
import Randomness
import Tensors

/// A distribution of independent exponential variables, numbers that are not negative.
///
/// log p(x) = Σ (log b − b x) with rate b = exp(logRate); −∞ where a number is below 0. The cost is O(D).
///
/// Draws: exp(−logRate) · ε with ε = `key.exponential`, differentiable by the rate.
///
/// Parameters: `logRate`, of a sample's shape, learned or frozen, 0 unless given.
///
/// Domain: all reals; the density is 0 outside its support. A context is ignored. Errors: as of ``Gamma``.
public struct Exponential: Distribution {
  private let rate: Parameter

  /// Makes a distribution with a rate, given or learned.
  public init(rate: Parameter = 1) { self.rate = rate }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let support = Domain(site.inputDim, .nonNegative)
    return (
      ["logRate": try rate.logarithm("rate", of: "Exponential", key, at: site)],
      LogPDF(site.boundary("Exponential", support)) { params, x, _ in logDensity(params, x) },
      Sampler(site.boundary("Exponential")) { key, params, count, _ in
        let noise = key.exponential(site.inputDim.batched(count), dtype: site.dtype)
        let x = exp(-params["logRate"]) * noise
        return (x, logDensity(params, x))
      }
    )
  }
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let logRate = params["logRate"]
  return (logRate - exp(logRate) * x).sumPerRow()
}
