import Bijections
import Randomness
import Tensors

/// A normalizing flow: the distribution of data that a bijection and a prior of its latents define.
///
/// log p(x) = log prior(f(x)) + log|det ∂f/∂x|. Draws: f⁻¹(z) with z from the prior. The same pass gives
/// their log-density, log p(x) = log prior(z) − log|det ∂f⁻¹/∂z|.
///
/// Parameters: `bijection` and `prior`, so a learned prior is trained and saved with the bijection.
///
/// Both receive the context. Errors: those of both. The density is 0 for a row outside the domain of a layer
/// or the support of the prior. A draw of the prior outside the inverse's domain is an error. A draw on an
/// end of an open interval moves inside.
///
/// A layer's outputs stay inside its codomain, so a flow accepts its own draws. Put layers with a bounded
/// domain first, next to the data. A layer of all reals in front of them can round a draw out of their
/// domain.
public struct Flow: Distribution {
  /// The map from data to latents.
  public let bijection: any Bijection
  /// The distribution of the latents.
  public let prior: any Distribution

  /// Makes a flow of a bijection and the distribution of its latents.
  public init(_ bijection: any Bijection, prior: any Distribution = Normal()) {
    self.bijection = bijection
    self.prior = prior
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution {
    let (params, forward, inverse) = try bijection.bound(key.folded(in: 0), at: site)
    var start = site
    // A family of independent numbers starts without data, so none need to pass through the bijection.
    if prior is any LocationScaleFamily { start.initInputs = nil }
    let prior = try prior.initialize(key.folded(in: 1), at: start.behind(forward, params))
    let members = [
      (forward, Address("bijection")),
      (prior.logPDF.mapping, Address("prior", position: 1)),
    ]
    let density = Mapping.chain("Flow", members, at: site)
    let undo = inverse.asMember
    var sample = prior.sample.map(density.boundary) { draw in
      { (key, params, count, context) throws(FlowError) in
        let (z, logPDF) = try draw(key, params.child("prior"), count, context)
        let inside = inverse.domain.opened(z)
        let (x, logDet) = try undo.unchecked(params.child("bijection"), inside, context)
        return (x, logPDF - logDet)
      }
    }
    if inverse.hasOutputsAlone {
      let draw = prior.sample.body
      sample.samplesAlone = { (key, params, count, context) throws(FlowError) in
        let z = try draw(key, params.child("prior"), count, context).samples
        return try inverse.outputs(params.child("bijection"), inverse.domain.opened(z), context)
      }
    }
    let draw = prior.sample.body
    sample.byKeys = { (keys, params, count, context) throws(FlowError) in
      var latents: [Tensor] = []
      for (row, key) in keys.enumerated() {
        let own = context.map { $0[row..<row + 1].eachRow(count) }
        latents.append(try draw(key, params.child("prior"), count, own).samples)
      }
      let z = inverse.domain.opened(concatenate(latents, axis: 0))
      return try undo.unchecked(params.child("bijection"), z, context?.eachRow(count)).outputs
    }
    return (["bijection": params, "prior": prior.params], LogPDF(density), sample)
  }

  /// The flow with a bijection whose gradient keeps no activations: see `Reversible`.
  ///
  /// - Precondition: `checkpointEvery` is positive.
  public func reversible(checkpointEvery checkpoint: Int? = nil) -> Flow {
    Flow(Reversible(bijection, checkpointEvery: checkpoint), prior: prior)
  }
}
