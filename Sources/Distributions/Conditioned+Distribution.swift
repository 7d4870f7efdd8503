extension Conditioned: Distribution where Base: Distribution {
  /// Makes initial parameters, the log-density and the sampler.
  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let (summaryParams, embed, inner) = try embedding(key.folded(in: 0), at: site)
    let (params, logPDF, sample) = try base.initialize(key.folded(in: 1), at: inner)
    let boundary = Boundary(
      "Conditioned(\(logPDF.boundary.name))", domain: logPDF.boundary.domain, contextDim: site.contextDim,
      dtype: site.dtype)
    @Sendable func seeing(_ body: @escaping Sampler.Body) -> Sampler.Body {
      { (key, params, count, context) throws(FlowError) in
        try body(key, params.child("base"), count, embed(params, context))
      }
    }
    var tempered: (@Sendable (Double) -> Sampler.Body)?
    if let base = sample.tempered { tempered = { temperature in seeing(base(temperature)) } }
    return (
      ["summary": summaryParams, "base": params],
      LogPDF(boundary, traits: logPDF.traits, statistics: embedded(logPDF.statistics, embed)) {
        (params, x, context) throws(FlowError) in
        try logPDF.body(params.child("base"), x, embed(params, context))
      },
      Sampler(boundary, tempered: tempered, body: seeing(sample.body))
    )
  }
}
