import Randomness
import Tensors

/// A bijection that sees its context through an activation normalization: what a conditional Glow does to its condition.
///
/// Map, log|det J| and inverse: those of the bijection, given (context − bias) · exp(logScale), channel by channel, in place of
/// the context. What happens to the context changes no volume of the sample.
///
/// Parameters: `context`, as of `ActNorm`, and `base`. With `initContext` the bijection sees mean 0 and standard deviation 1 on
/// that batch. Domain: the bijection's. Errors: the bijection's; `mismatch` without a context.
///
/// NetworkConditionalGlow of InvertibleNetworks.jl, src/networks/invertible_network_conditional_glow.jl.
public struct ContextNormalized: Bijection {
  /// What sees the normalized context.
  public let bijection: any Bijection

  /// A bijection behind a normalization of its context.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard let contextDim = site.contextDim else {
      throw .mismatch(who: "ContextNormalized", what: "contextDim", expected: "a shape", got: "none")
    }
    let place = Site(inputDim: contextDim, initInputs: site.initContext, dtype: site.dtype)
    let norm = try ActNorm().initialize(key.folded(in: 0), at: place)
    @Sendable func normalized(_ params: Params, _ context: Tensor?) throws(FlowError) -> Tensor? {
      guard let context else { return nil }
      return try norm.forward.body(params, context, nil).outputs
    }
    var inner = site
    inner.initContext = try normalized(norm.params, site.initContext)
    let base = try bijection.initialize(key.folded(in: 1), at: inner)

    func seeing(_ mapping: Mapping) -> Mapping {
      let boundary = Boundary(
        "ContextNormalized(\(mapping.name))", domain: mapping.domain, contextDim: contextDim,
        dtype: site.dtype)
      var moved: Mapping.Statistics?
      if let statistics = mapping.statistics {
        moved = { (params, x, context) throws(FlowError) in
          let seen = try normalized(params.child("context"), context)
          return try params.replacing("base", by: statistics(params.child("base"), x, seen))
        }
      }
      return Mapping(boundary, to: mapping.codomain, traits: mapping.traits, statistics: moved) {
        (params, x, context) throws(FlowError) in
        try mapping.body(params.child("base"), x, normalized(params.child("context"), context))
      }
    }
    return (["context": norm.params, "base": base.params], seeing(base.forward), seeing(base.inverse))
  }
}
