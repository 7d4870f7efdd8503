import Bijections
import Randomness
import Tensors

/// A distribution of independent gamma variables.
///
/// log p(x) = Σ ((a − 1) log x − b x + a log b − log Γ(a)) with concentration a = exp(logConcentration) and
/// rate b = exp(logRate); −∞ where a number is not above 0. The cost is O(D).
///
/// Draws: exp(log g − logRate) with g by Marsaglia and Tsang's method, in rounds of rejection with their
/// own keys. They are differentiable by both parameters. A draw too small for the dtype is its smallest
/// number.
///
/// Parameters: `logConcentration` and `logRate`, of a sample's shape, learned or frozen, 0 unless given.
///
/// Domain: all reals; the density is 0 outside its support. A context is ignored. Errors: `mismatch` for a
/// value that does not broadcast to a sample, is not positive or cannot be held by the dtype; `notFinite`.
public struct Gamma: Distribution {
  private let concentration, rate: Parameter

  /// Makes a distribution with a concentration and a rate, each given or learned.
  public init(concentration: Parameter = 1, rate: Parameter = 1) {
    (self.concentration, self.rate) = (concentration, rate)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let boundary = site.boundary("Gamma")
    let support = Domain(site.inputDim, .positive)
    return (
      [
        "logConcentration": try concentration.logarithm(
          "concentration", of: "Gamma", key.folded(in: 0), at: site),
        "logRate": try rate.logarithm("rate", of: "Gamma", key.folded(in: 1), at: site),
      ],
      LogPDF(site.boundary("Gamma", support)) { params, x, _ in logDensity(params, x) },
      Sampler(boundary) { key, params, count, _ in
        let a = exp(params["logConcentration"])
        let logDraws = key.logGammaNumbers(site.inputDim.batched(count), concentration: a)
        let x = support.nearest(exp(logDraws - params["logRate"]))
        return (x, logDensity(params, x))
      }
    )
  }
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let (logA, logRate) = (params["logConcentration"], params["logRate"])
  let (a, isInfinite) = (exp(logA), x.detached .== .infinity)
  let finite = select(where: isInfinite, 1, x)
  let logX = log(finite)
  let spread = deviance(a, excess: exp(logRate) * finite - a, logRatio: logX + logRate - logA)
  let terms = 0.5 * logA - halfLogTurn - stirlingError(a) - spread - logX
  return select(where: isInfinite, -.infinity, terms).sumPerRow()
}
