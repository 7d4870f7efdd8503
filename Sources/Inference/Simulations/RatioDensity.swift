import Bijections
import Distributions
import Networks
import Randomness
import Tensors

/// The unnormalized posterior log p(θ) + f(θ, x) of a network f that estimates the log-ratio of likelihood
/// and evidence.
///
/// The objective `Contrastive` divides it by the prior, so f is learned. Parameters: `theta`, the fixed
/// standardization, and `network`. There is no sampler.
struct RatioDensity: Distribution {
  let network: any Network
  let prior: SimulationPrior
  let standardize: Standardize

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    guard let contextDim = site.contextDim else {
      throw .mismatch(who: "RatioDensity", what: "contextDim", expected: "a shape", got: "none")
    }
    let reals = try Serial(prior.toReals, standardize)(
      key.folded(in: 0), inputDim: site.inputDim, dtype: site.dtype)
    let size = site.inputDim.count + contextDim.count
    let (params, apply) = try network(
      key.folded(in: 1), inputDim: [size], outputDim: [1], dtype: site.dtype)
    let boundary = Boundary(
      "RatioDensity", domain: Domain(site.inputDim), contextDim: contextDim, dtype: site.dtype)
    let prior = prior
    return (
      ["theta": reals.params, "network": params],
      LogPDF(boundary) { (params, theta, context) throws(FlowError) in
        guard let context else { fatalError("the boundary lets no call without a context pass") }
        let z = try reals.forward.body(params.child("theta"), theta, nil).outputs
        let both = concatenate(
          z.reshaped(to: [z.rows, site.inputDim.count]),
          context.reshaped(to: [z.rows, contextDim.count]), axis: 1)
        let ratio = apply(params.child("network"), both).sumPerRow()
        return ratio + (try prior.uncheckedLogDensity(theta))
      },
      Sampler(boundary) { (_, _, _, _) throws(FlowError) in
        throw .mismatch(who: "RatioDensity", what: "draws", expected: "by chains", got: "a direct call")
      }
    )
  }
}
