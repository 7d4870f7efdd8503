import Bijections
import Randomness
import Tensors

/// Annealed importance sampling: weighted draws of a target, and an estimate of its normalizer.
///
/// Draws of a prior p₀ pass through Markov steps for the densities p₀^(1 − β) f^β at rising β. The last
/// draw x has the log-weight Σₜ (βₜ − βₜ₋₁) (log f − log p₀)(xₜ₋₁), where β ends at 1. The mean of the
/// weights is an unbiased estimate of ∫ f, the evidence if f is a likelihood times a prior. Means under the
/// target are means with these weights.
///
/// ```swift
/// let annealed = AnnealedSampling(levels: 20) { MetropolisStep(scale: 0.5, repeats: 3, logDensity: $0) }
/// let (draws, logWeights) = try annealed(Key(0), from: prior, to: logTarget, count: 1_000)
/// let evidence = exp(logWeights).mean()
/// ```
///
/// Cost: the Markov steps, and one value of f and p₀ per level. Where log f is NaN, f counts as 0.
///
/// Neal 2001, *Annealed importance sampling*, Statistics and Computing 11, arXiv physics/9803008, eqs. 3-11.
public struct AnnealedSampling: Sendable {
  private let levels: [Double]
  private let step: @Sendable (_ logDensity: @escaping Hamiltonian.LogDensity) -> any WeightedLayer

  /// Anneals in `levels` equal steps of β, with the Markov steps that `step` makes for a log-density.
  ///
  /// - Precondition: There is at least one level.
  public init(
    levels: Int,
    step: @escaping @Sendable (_ logDensity: @escaping Hamiltonian.LogDensity) -> any WeightedLayer
  ) {
    require(levels > 0, "AnnealedSampling: at least one level, got \(levels)")
    self.init(at: (1...levels).map { Double($0) / Double(levels) }, step: step)
  }

  /// Anneals at given values of β.
  ///
  /// - Precondition: The values rise from above 0 to 1.
  public init(
    at levels: [Double],
    step: @escaping @Sendable (_ logDensity: @escaping Hamiltonian.LogDensity) -> any WeightedLayer
  ) {
    require(
      levels.last == 1 && levels[0] > 0 && zip(levels, levels.dropFirst()).allSatisfy { $0 < $1 },
      "AnnealedSampling: levels rise from above 0 to 1, got \(levels)")
    (self.levels, self.step) = (levels, step)
  }

  /// Draws `[count] + inputDim` and their log-weights `[count]`. The prior has no context.
  ///
  /// - Throws: the errors of the prior, the target and the steps.
  /// - Precondition: `count` is not negative.
  public func callAsFunction(
    _ key: Key, from prior: InitializedDistribution, to target: @escaping Hamiltonian.LogDensity, count: Int
  ) throws(FlowError) -> (samples: Tensor, logWeights: Tensor) {
    let (params, logPDF, sample) = prior
    let target = zeroWhereNaN(target)
    let place = sample.boundary
    let site = Site(inputDim: place.domain.shape, dtype: place.dtype)
    var (x, logWeights) = try sample.withLogPDF(key.folded(in: 0), params, count: count)
    // The log-weight so far is relative to the density of the level before: it starts at −log p₀.
    logWeights = -logWeights
    for (i, level) in levels.enumerated() {
      let logDensity: Hamiltonian.LogDensity = { (x) throws(FlowError) in
        let value = level * (try target(x))
        return level < 1 ? value + (1 - level) * (try logPDF.body(params, x, nil)) : value
      }
      let kernel = try step(logDensity).initialize(key.folded(in: 1).folded(in: i), at: site)
      let (next, logWeight) = try kernel.inverse.body(
        key.folded(in: 2).folded(in: i), kernel.params, x, nil)
      (x, logWeights) = (next, logWeights + logWeight)
    }
    return (x, logWeights + (try target(x)))
  }
}
