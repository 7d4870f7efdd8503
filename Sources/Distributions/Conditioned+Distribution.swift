extension Conditioned: Distribution where Base: Distribution {
  /// Initial parameters, log-density and sampler.
  public func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let (summaryParams, embed, inner) = try embedding(key.folded(in: 0), at: site)
    let (params, logPDF, sample) = try base.initialize(key.folded(in: 1), at: inner)
    let boundary = Boundary(
      "Conditioned(\(logPDF.boundary.name))", domain: logPDF.boundary.domain, contextDim: site.contextDim,
      dtype: site.dtype)
    return (
      ["summary": summaryParams, "base": params],
      LogPDF(boundary, traits: logPDF.traits, statistics: embedded(logPDF.statistics, embed)) {
        (params, x, context) throws(FlowError) in
        try logPDF.body(params.child("base"), x, embed(params, context))
      },
      Sampler(boundary) { (key, params, count, context) throws(FlowError) in
        try sample.body(key, params.child("base"), count, embed(params, context))
      }
    )
  }
}
