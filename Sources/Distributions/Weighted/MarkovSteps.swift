import Bijections
import Randomness
import Tensors

/// Metropolis steps that leave a target's density unchanged.
///
/// Map, both ways: n times, x′ = x + scale · ε with normal ε replaces x with probability min(1, π(x′) /
/// π(x)). The steps are reversible, so the log-weight is log π(x) − log π(x_n) for the last x_n. Cost: n +
/// 1 values of the target. No parameters; draws are differentiable by x, but acceptances are not. Where the
/// target is NaN, its density counts as 0.
///
/// Domain: all reals. A context is ignored. Errors: those that the target throws.
///
/// Wu, Köhler & Noé 2020, *Stochastic normalizing flows*, arXiv 2002.06707, section 3; Metropolis et al.
/// 1953.
public struct MetropolisStep: WeightedLayer {
  private let scale: Double
  private let repeats: Int
  private let logDensity: Hamiltonian.LogDensity

  /// Makes steps of a given scale for a target's log-density, known up to a constant.
  ///
  /// - Precondition: There is at least one step, and the scale is positive.
  public init(scale: Double, repeats: Int = 1, logDensity: @escaping Hamiltonian.LogDensity) {
    require(scale > 0 && repeats > 0, "MetropolisStep: a positive scale and steps, got \(scale), \(repeats)")
    (self.scale, self.repeats, self.logDensity) = (scale, repeats, logDensity)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    let chain = MarkovChain(repeats: repeats, logDensity: logDensity) { (key, x) throws(FlowError) in
      (x + scale * key.normal(x.shape, dtype: x.dtype), .zeros([x.rows], dtype: x.dtype))
    }
    return site.weighted(
      "MetropolisStep", to: Domain(site.inputDim), forward: chain.body, inverse: chain.body)
  }
}

/// Hamiltonian Monte Carlo steps that leave a target's density unchanged.
///
/// Map, both ways: n times, a standard normal momentum p is drawn, leapfrog steps lead from (x, p) to (x′,
/// p′), and x′ replaces x with probability min(1, π(x′) N(p′) / (π(x) N(p))). The log-weight is log π(x) −
/// log π(x_n). Cost: n (leaps + 1) gradients of the target. No parameters. Where the target is NaN, its
/// density counts as 0.
///
/// Domain: all reals; samples are vectors. A context is ignored. Errors: those that the target throws;
/// `mismatch` for samples that are not vectors.
///
/// Neal 2011, *MCMC using Hamiltonian dynamics*, arXiv 1206.1901, section 3.2; Wu, Köhler & Noé 2020, arXiv
/// 2002.06707, section 3.
public struct HamiltonianStep: WeightedLayer {
  private let stepSize: Double
  private let leaps, repeats: Int
  private let logDensity: Hamiltonian.LogDensity

  /// Makes steps of `leaps` leapfrog steps each for a target's log-density, known up to a constant.
  ///
  /// - Precondition: There is at least one step and one leap, and their size is positive.
  public init(
    stepSize: Double, leaps: Int = 5, repeats: Int = 1, logDensity: @escaping Hamiltonian.LogDensity
  ) {
    require(
      stepSize > 0 && leaps > 0 && repeats > 0,
      "HamiltonianStep: positive sizes and counts, got \(stepSize), \(leaps), \(repeats)")
    (self.stepSize, self.leaps, self.repeats, self.logDensity) = (stepSize, leaps, repeats, logDensity)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedWeighted {
    try site.expect(site.inputDim.rank == 1, "HamiltonianStep", "inputDim", "a vector")
    let leapfrog = TargetLeapfrog(steps: leaps, logDensity: logDensity)
    let chain = MarkovChain(repeats: repeats, logDensity: logDensity) { (key, x) throws(FlowError) in
      let momentum = key.normal(x.shape, dtype: x.dtype)
      let (proposal, last) = try leapfrog(x, momentum, Tensor(stepSize, dtype: x.dtype))
      return (proposal, 0.5 * (square(momentum) - square(last)).sumPerRow())
    }
    return site.weighted(
      "HamiltonianStep", to: Domain(site.inputDim), forward: chain.body, inverse: chain.body)
  }
}

/// Proposals, each accepted or rejected such that a density stays unchanged.
private struct MarkovChain: Sendable {
  let repeats: Int
  let logDensity: Hamiltonian.LogDensity
  /// A proposal, and the logarithm of the further factor of its acceptance ratio.
  let propose: @Sendable (_ key: Key, _ x: Tensor) throws(FlowError) -> (proposal: Tensor, logFactor: Tensor)

  /// Runs the chain. A target that is NaN counts as 0.
  var body: WeightedMapping.Body {
    let logDensity = zeroWhereNaN(logDensity)
    return { (key, _, start, _) throws(FlowError) in
      var (x, value) = (start, try logDensity(start))
      let first = value
      for i in 0..<repeats {
        let key = key.folded(in: i)
        let (proposal, logFactor) = try propose(key.folded(in: 0), x)
        let proposed = try logDensity(proposal)
        let threshold = -key.folded(in: 1).exponential([x.rows], dtype: x.dtype)
        let accepts = (threshold .< proposed - value + logFactor).detached
        let ones = [Int](repeating: 1, count: x.rank - 1)
        let mask = accepts.reshaped(to: Shape([x.rows] + ones)).broadcast(to: x.shape)
        (x, value) = (select(where: mask, proposal, x), select(where: accepts, proposed, value))
      }
      // A start where the target is 0 has the weight 0, whatever the steps do.
      return (x, select(where: first .== -.infinity, -.infinity, first - value))
    }
  }
}

/// The same log-density, but −∞ where it is NaN although the sample is not: outside of its support, as log x
/// below 0.
func zeroWhereNaN(_ logDensity: @escaping Hamiltonian.LogDensity) -> Hamiltonian.LogDensity {
  { (x) throws(FlowError) in
    let value = try logDensity(x)
    let isBroken = (value.detached .!= value.detached) * ((x.detached .!= x.detached).sumPerRow() .== 0)
    return select(where: isBroken, -.infinity, value)
  }
}
