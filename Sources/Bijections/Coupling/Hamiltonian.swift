import Randomness
import Tensors

/// Leapfrog steps along a target's gradient, then an affine map of the momentum.
///
/// Map: on (q, p), two halves of a vector of 2 d numbers, n times p ← p + ε/2 ∇log π(q), q ← q + ε p,
/// p ← p + ε/2 ∇log π(q), with one step size per coordinate. Then p ← (p − shift) · exp(−logScale). Fit a
/// flow of such layers to `Target.withMomentum()`, the target times standard normal momenta.
///
/// log|det J| = −Σ logScale, the same for every row: leapfrog steps preserve volume.
///
/// Inverse: p ← p · exp(logScale) + shift, then the same steps with −ε, exact to rounding. Cost, both ways:
/// n + 1 gradients of the target. Training differentiates them again.
///
/// Parameters: `logStep` [d], log 0.1 at first unless given; `shift` and `logScale` [d], 0. The target is
/// code, not a parameter: load a tree into a layer with the same target.
///
/// Domain: all reals. A context is ignored. Errors: `mismatch` for samples that are not vectors of even
/// length, and the errors that the target throws.
///
/// Neal 2011, *MCMC using Hamiltonian dynamics*, arXiv 1206.1901, section 2.3; Chen, Xu & Campbell 2022,
/// *Bayesian inference via sparse Hamiltonian flows*, arXiv 2203.05723, section 3, as in
/// NormalizingFlows.jl's examples.
public struct Hamiltonian: Bijection {
  /// A target's log-density up to a constant, one number per row of positions [rows, d].
  public typealias LogDensity = @Sendable (_ positions: Tensor) throws(FlowError) -> Tensor

  private let logDensity: LogDensity
  private let steps: Int
  private let stepSize: Double

  /// Makes a layer of leapfrog steps.
  ///
  /// - Parameters:
  ///   - steps: the number of steps, n.
  ///   - stepSize: the initial step size ε.
  ///   - logDensity: the target's log-density, log π.
  /// - Precondition: There is at least one step, and its size is positive.
  public init(steps: Int = 3, stepSize: Double = 0.1, logDensity: @escaping LogDensity) {
    require(steps > 0 && stepSize > 0, "a Hamiltonian layer needs at least one step of positive size")
    (self.steps, self.stepSize, self.logDensity) = (steps, stepSize, logDensity)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.expect(
      site.inputDim.rank == 1 && site.channels % 2 == 0, "Hamiltonian", "inputDim",
      "positions and as many momenta, [2 d]")
    let size = site.channels / 2
    let zeros = Tensor.zeros([size], dtype: site.dtype)
    let leapfrog = TargetLeapfrog(steps: steps, logDensity: logDensity)
    let logStep = log(Tensor.full([size], stepSize, dtype: .float64)).cast(to: site.dtype)
    let params: Params = ["logStep": .leaf(logStep), "shift": .leaf(zeros), "logScale": .leaf(zeros)]

    return site.layer("Hamiltonian", params) { (params, x, _) throws(FlowError) in
      let (q, p) = try leapfrog(x.block(0, of: 2), x.block(1, of: 2), exp(params["logStep"]))
      let scaled = (p - params["shift"]) * exp(-params["logScale"])
      return (concatenate(q, scaled, axis: 1), -params["logScale"].sum())
    } inverse: { (params, y, _) throws(FlowError) in
      let p = y.block(1, of: 2) * exp(params["logScale"]) + params["shift"]
      let (q, back) = try leapfrog(y.block(0, of: 2), p, -exp(params["logStep"]))
      return (concatenate(q, back, axis: 1), params["logScale"].sum())
    }
  }
}
