import Bijections
import Randomness
import Tensors

/// The Dirichlet distribution of positive numbers with sum 1 along the last axis.
///
/// log p(x) = Σₖ (aₖ − 1) log xₖ + log Γ(Σ aₖ) − Σ log Γ(aₖ) with a = exp(logConcentration); −∞ off the
/// simplex, to 10⁻⁴. As for `FromSimplex`, the volume is dx₁ ⋯ dx_{K−1}. The cost is O(K).
///
/// Draws: gamma numbers of concentrations a over their sum, normalized in logarithms. They are
/// differentiable by the concentrations.
///
/// Parameters: `logConcentration`, of a sample's shape, learned or frozen, 0 unless given. With leading axes,
/// the simplexes are independent.
///
/// Domain: all reals; the density is 0 off the simplex. A context is ignored. Errors: as of ``Gamma``;
/// `mismatch` for fewer than two numbers.
public struct Dirichlet: Distribution {
  private let concentration: Parameter

  /// Makes a distribution with a concentration for each share, given or learned. Ones give the uniform
  /// distribution.
  public init(concentration: Parameter = 1) { self.concentration = concentration }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    try site.expect(site.channels > 1, "Dirichlet", "inputDim", "at least two numbers")
    let support = Domain(site.inputDim, .simplex)
    return (
      [
        "logConcentration": try concentration.logarithm(
          "concentration", of: "Dirichlet", key.folded(in: 0), at: site)
      ],
      LogPDF(site.boundary("Dirichlet", support)) { params, x, _ in logDensity(params, x) },
      Sampler(site.boundary("Dirichlet")) { key, params, count, _ in
        let a = exp(params["logConcentration"])
        let logDraws = key.logGammaNumbers(site.inputDim.batched(count), concentration: a)
        let x = support.nearest(logDraws.softmax(axis: -1))
        return (x, logDensity(params, x))
      }
    )
  }
}

private func logDensity(_ params: Params, _ x: Tensor) -> Tensor {
  let (logA, logX) = (params["logConcentration"], log(x))
  let a = exp(logA)
  let total = a.sum(axis: -1, keepDims: true)
  let logTotal = log(total)
  // The excesses have the sum 0 on the simplex, so they are left out.
  let spread = deviance(a, excess: x * total - a, logRatio: logX + logTotal - logA)
  let shares = (0.5 * logA - halfLogTurn - stirlingError(a)).sum()
  let totals = (0.5 * logTotal - halfLogTurn - stirlingError(total)).sum()
  return (shares - totals) - (spread + logX).sumPerRow()
}
