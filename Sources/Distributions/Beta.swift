import Bijections
import Randomness
import Tensors

/// A distribution of independent beta variables, numbers between 0 and 1.
///
/// log p(x) = Σ ((a − 1) log x + (b − 1) log(1 − x) − log B(a, b)) with a = exp(logA), b = exp(logB) and
/// B = Γ(a) Γ(b) / Γ(a + b); −∞ where a number is not between 0 and 1. The cost is O(D).
///
/// Draws: σ(log g − log h) for gamma numbers g and h of concentrations a and b, made as those of ``Gamma``.
/// A draw that rounds to 0 or 1 is the nearest number inside. Draws are differentiable by a and b.
///
/// Parameters: `logA` and `logB`, of a sample's shape, learned or frozen, 0 unless given.
///
/// Domain: all reals; the density is 0 outside its support. A context is ignored. Errors: as of ``Gamma``.
public struct Beta: Distribution {
  private let a, b: Parameter

  /// Makes a distribution with the two concentrations, each given or learned.
  public init(_ a: Parameter = 1, _ b: Parameter = 1) { (self.a, self.b) = (a, b) }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let support = Domain(site.inputDim, .unitInterval)
    return (
      [
        "logA": try a.logarithm("a", of: "Beta", key.folded(in: 0), at: site),
        "logB": try b.logarithm("b", of: "Beta", key.folded(in: 1), at: site),
      ],
      LogPDF(site.boundary("Beta", support)) { params, x, _ in logDensity(params, x) },
      Sampler(site.boundary("Beta")) { key, params, count, _ in
        let shape = site.inputDim.batched(count)
        let g = key.folded(in: 0).logGammaNumbers(shape, concentration: exp(params["logA"]))
        let h = key.folded(in: 1).logGammaNumbers(shape, concentration: exp(params["logB"]))
        let x = support.nearest(sigmoid(g - h))
        return (x, logDensity(params, x))
      }
    )
  }
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let (logA, logB) = (params["logA"], params["logB"])
  let (a, b) = (exp(logA), exp(logB))
  let (logTotal, logX, logRest) = (log(a + b), log(x), log1p(-x))
  // x (a + b) − a, and the same for 1 − x and b but for the sign.
  let excess = b * x - a * (1 - x)
  let spread =
    deviance(a, excess: excess, logRatio: logX + logTotal - logA)
    + deviance(b, excess: -excess, logRatio: logRest + logTotal - logB)
  let constant =
    0.5 * (logA + logB - logTotal) - halfLogTurn + stirlingError(a + b) - stirlingError(a) - stirlingError(b)
  return (constant - spread - logX - logRest).sumPerRow()
}
