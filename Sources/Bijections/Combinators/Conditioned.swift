import Networks
import Randomness
import Tensors

/// A bijection or a distribution that sees its context through a learned embedding.
///
/// Map, log|det J| and inverse: those of the base, given summary(context) in place of the context. Cost: one network more.
///
/// Parameters: `summary` and `base`, so the embedding is trained and saved with the rest.
///
/// Domain: the base's. Errors: the base's and the summary's; `mismatch` without a context.
///
/// Radev et al. 2020, *BayesFlow*, arXiv 2003.06281, section 2.4.
public struct Conditioned<Base: Sendable>: Sendable {
  /// What sees the embedded context.
  public let base: Base
  /// The embedding.
  public let summary: Summary

  /// A bijection or a distribution, and the embedding of its context.
  public init(_ base: Base, by summary: Summary) {
    self.base = base
    self.summary = summary
  }

  /// The summary's parameters and function, and the place of the base behind it.
  package func embedding(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, embed: @Sendable (Params, Tensor?) -> Tensor?, site: Site) {
    guard let contextDim = site.contextDim else {
      throw .mismatch(who: "Conditioned", what: "contextDim", expected: "a shape", got: "none")
    }
    let (params, apply, outputDim) = try summary.initialize(key, contextDim: contextDim, dtype: site.dtype)
    var inner = site
    inner.contextDim = outputDim
    inner.initContext = site.initContext.map { apply(params, $0) }
    return (params, { params, context in context.map { apply(params.child("summary"), $0) } }, inner)
  }

  /// The base's statistics, moved by rows with the embedded context.
  package func embedded(
    _ statistics: Mapping.Statistics?, _ embed: @escaping @Sendable (Params, Tensor?) -> Tensor?
  ) -> Mapping.Statistics? {
    guard let statistics else { return nil }
    return { (params, x, context) throws(FlowError) in
      let moved = try statistics(params.child("base"), x, embed(params, context))
      return try params.replacing("base", by: moved)
    }
  }
}

extension Conditioned: Bijection where Base: Bijection {
  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (summaryParams, embed, inner) = try embedding(key.folded(in: 0), at: site)
    let (params, forward, inverse) = try base.initialize(key.folded(in: 1), at: inner)

    func seeing(_ mapping: Mapping) -> Mapping {
      let boundary = Boundary(
        "Conditioned(\(mapping.name))", domain: mapping.domain, contextDim: site.contextDim, dtype: site.dtype
      )
      let statistics = embedded(mapping.statistics, embed)
      return Mapping(boundary, to: mapping.codomain, traits: mapping.traits, statistics: statistics) {
        (params, x, context) throws(FlowError) in
        try mapping.body(params.child("base"), x, embed(params, context))
      }
    }
    return (["summary": summaryParams, "base": params], seeing(forward), seeing(inverse))
  }
}
