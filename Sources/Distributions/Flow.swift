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
/// Both receive the context. Domain: that of the bijection. Errors: those of both.
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
    var latent = site
    latent.inputDim = forward.codomain.shape
    if let data = site.initInputs {
      latent.initInputs = try forward.checkedBody(params, data, site.initContext).outputs
    }
    let prior = try prior.initialize(key.folded(in: 1), at: latent)
    let members = [
      (forward, Address("bijection")),
      (prior.logPDF.mapping, Address("prior", position: 1)),
    ]
    let density = Mapping.chain("Flow", members, at: site)
    let undo = inverse.checkedBody
    let sample = prior.sample.map(density.boundary) { draw in
      { (key, params, count, context) throws(FlowError) in
        let (z, logPDF) = try draw(key, params.child("prior"), count, context)
        if inverse.traits.contains(.couplesRows) {
          let (x, logDet) = try undo(params.child("bijection"), z, context)
          return (x, logPDF - logDet)
        }
        let results = try mapRows(count, of: site.inputDim) { (rows) throws(FlowError) in
          let (x, logDet) = try undo(params.child("bijection"), z[rows], context?[rows])
          return [x, logPDF[rows] - logDet]
        }
        return (results[0], results[1])
      }
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
