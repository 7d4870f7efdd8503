import Bijections
import Distributions
import Networks
import Randomness
import Tensors

/// The score of a row given its latent as context, −½ ‖difference‖² + λ log q(row), with the parameters of a
/// flow. Its maximum likelihood fit is a regression of the flow.
struct FlowRegression: Distribution {
  let flow: Flow
  let side: PairSide
  let likelihood: Double

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    var own = site
    (own.contextDim, own.initContext) = (nil, nil)
    let (params, logPDF, sample) = try flow.initialize(key, at: own)
    let mappings = try flow.bijection.bound(key.folded(in: 0), at: own)
    let mapping = side == .latents ? mappings.forward : mappings.inverse
    if mapping.traits.contains(.couplesRows) {
      throw .mismatch(
        who: "fit to pairs", what: "a flow", expected: "whose rows do not depend on each other", got: "one")
    }
    if likelihood == 0 { try checkPrior(logPDF, params, mappings.forward.codomain.shape, site.dtype) }
    let score = LogPDF(
      Boundary(
        "FlowRegression", domain: Domain(site.inputDim), contextDim: site.contextDim, dtype: site.dtype)
    ) { (params, x, context) throws(FlowError) in
      guard let z = context else { fatalError("the boundary lets no call without a context pass") }
      let bijection = params.child("bijection")
      let (from, to) = side == .latents ? (x, z) : (z, x)
      let moved =
        mapping.hasOutputsAlone
        ? try mapping.outputs(bijection, from, nil)
        : try mapping.asMember.unchecked(bijection, from, nil).outputs
      let fit = -0.5 * square(moved - to).sumPerRow()
      return likelihood == 0 ? fit : fit + likelihood * (try logPDF.body(params, x, nil))
    }
    return (params, score, sample)
  }

  /// Throws for latents whose initial log-density is not the standard normal one: the pairs' latents are.
  private func checkPrior(_ logPDF: LogPDF, _ params: Params, _ shape: Shape, _ dtype: DType)
    throws(FlowError)
  {
    let z = Key(0).normal(shape.batched(2), dtype: dtype)
    let own = try logPDF.mapping.priorLogDensity(params, z, nil)
    let expected = -0.5 * (square(z).sumPerRow() + 1.8378770664093453 * Double(shape.count))
    if let own, abs(own - expected).max(axis: 0).item > 1e-3 * Double(shape.count) {
      throw .mismatch(
        who: "fit to pairs", what: "a prior", expected: "that is standard normal, or likelihood: above 0",
        got: "another")
    }
  }
}

/// The side on which a regression compares pairs.
public enum PairSide: Sendable, Hashable {
  /// Compares the latent of a row under the flow with the pair's latent. This needs the forward direction
  /// alone and does not depend on the columns' units.
  case latents
  /// Compares the row of a latent under the flow with the pair's row.
  case rows
}

/// The score of a row given its latent, −½ ‖g(latent) − row‖² for a network g.
struct NetworkRegression: Distribution {
  let network: any Network

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (params, apply) = try network.initialize(
      key, inputDim: site.contextDim ?? site.inputDim, outputDim: site.inputDim, dtype: site.dtype)
    let boundary = Boundary(
      "NetworkRegression", domain: Domain(site.inputDim), contextDim: site.contextDim, dtype: site.dtype)
    return (
      ["net": params],
      LogPDF(boundary) { params, x, context in
        -0.5 * square(apply(params.child("net"), context ?? x) - x).sumPerRow()
      },
      Sampler(boundary) { key, params, count, context in
        let z = context ?? key.normal(site.inputDim.batched(count), dtype: site.dtype)
        return (apply(params.child("net"), z), .zeros([count], dtype: site.dtype))
      }
    )
  }
}
