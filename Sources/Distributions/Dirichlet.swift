import Bijections
import Randomness
import Tensors

/// The Dirichlet distribution of positive numbers with sum 1 along the last axis.
///
/// log p(x) = Σₖ (aₖ − 1) log xₖ + log Γ(Σ aₖ) − Σ log Γ(aₖ) with a = exp(logConcentration); −∞ off the
/// simplex, to 10⁻⁴. As for `FromSimplex`, the volume is dx₁ ⋯ dx_{K−1}. The cost is O(K).
///
/// Draws: gamma numbers of concentrations a over their sum, normalized in logarithms. Draws are constants:
/// they are not differentiable by the concentrations, so fit these by likelihood.
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
  let a = exp(params["logConcentration"])
  let constant = logGamma(a.sum(axis: -1)).sum() - logGamma(a).sum()
  return ((a - 1) * log(x)).sumPerRow() + constant
}
