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

  /// Makes initial parameters, the log-density and the sampler.
  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let (params, forward, inverse) = try bijection.initialize(key.folded(in: 0), at: site)
    var latent = site
    latent.inputDim = forward.codomain.shape
    if let data = site.initInputs {
      latent.initInputs = try forward.body(params, data, site.initContext).outputs
    }
    let (priorParams, priorLogPDF, priorSample) = try prior.initialize(key.folded(in: 1), at: latent)
    let boundary = Boundary("Flow", domain: forward.domain, contextDim: site.contextDim, dtype: site.dtype)
    @Sendable func through(_ prior: @escaping Sampler.Body) -> Sampler.Body {
      { (key, params, count, context) throws(FlowError) in
        let (z, logPDF) = try prior(key, params.child("prior"), count, context)
        if inverse.traits.contains(.couplesRows) {
          let (x, logDet) = try inverse.body(params.child("bijection"), z, context)
          return (x, logPDF - logDet)
        }
        let results = try mapRows(count, of: site.inputDim) { (rows) throws(FlowError) in
          let (x, logDet) = try inverse.body(params.child("bijection"), z[rows], context?[rows])
          return [x, logPDF[rows] - logDet]
        }
        return (results[0], results[1])
      }
    }
    var tempered: (@Sendable (Double) -> Sampler.Body)?
    if let prior = priorSample.tempered { tempered = { temperature in through(prior(temperature)) } }
    return (
      ["bijection": params, "prior": priorParams],
      LogPDF(
        boundary, traits: forward.traits.union(priorLogPDF.traits).intersection(.couplesRows),
        statistics: Flow.statistics(forward, priorLogPDF)
      ) { (params, x, context) throws(FlowError) in
        let (z, logDet) = try forward.body(params.child("bijection"), x, context)
        return try priorLogPDF.body(params.child("prior"), z, context) + logDet
      },
      Sampler(boundary, tempered: tempered, body: through(priorSample.body))
    )
  }

  /// The update of the bijection's statistics by a batch, and of the prior's by its latents.
  private static func statistics(_ forward: Mapping, _ prior: LogPDF) -> Mapping.Statistics? {
    if forward.statistics == nil && prior.statistics == nil { return nil }
    return { (params, x, context) throws(FlowError) in
      let own = params.child("bijection")
      var updated = params
      if let statistics = forward.statistics {
        updated = try updated.replacing("bijection", by: statistics(own, x, context))
      }
      guard let statistics = prior.statistics else { return updated }
      let z = try forward.body(own, x, context).outputs
      return try updated.replacing("prior", by: statistics(params.child("prior"), z, context))
    }
  }
}
