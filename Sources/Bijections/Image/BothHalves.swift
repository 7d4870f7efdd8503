import Randomness
import Tensors

/// One bijection for each half of the channels: what a pair of tensors is, concatenated on the last axis, goes through alike.
///
/// Map: (a, b) ↦ (f(a), f(b)). log|det J| = the sum of both. Inverse: (f⁻¹(a), f⁻¹(b)). Cost: twice f's.
///
/// Parameters: those of f, shared, unwrapped. Domain: f's. Errors: f's; `mismatch` for an odd number of channels.
public struct BothHalves: Bijection {
  /// What each half goes through.
  public let bijection: any Bijection

  /// A bijection for each half.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if site.channels % 2 != 0 {
      throw .mismatch(
        who: "BothHalves", what: "channels", expected: "an even number", got: "\(site.inputDim)")
    }
    var half = site
    half.inputDim = site.inputDim.replacing(-1, by: site.channels / 2)
    half.initInputs = site.initInputs.map { rows in
      concatenate([rows.block(0, of: 2), rows.block(1, of: 2)], axis: 0)
    }
    half.initOutputs = site.initOutputs.map { rows in
      concatenate([rows.block(0, of: 2), rows.block(1, of: 2)], axis: 0)
    }
    half.initContext = site.initContext.map { concatenate([$0, $0], axis: 0) }
    let (params, forward, inverse) = try bijection.initialize(key, at: half)

    func both(_ mapping: Mapping) -> Mapping {
      func doubled(_ domain: Domain) -> Domain {
        Domain(domain.shape.replacing(-1, by: 2 * domain.shape[-1]), domain.values)
      }
      let boundary = Boundary(
        "BothHalves(\(mapping.name))", domain: doubled(mapping.domain), contextDim: site.contextDim,
        dtype: site.dtype)
      return Mapping(boundary, to: doubled(mapping.codomain), traits: mapping.traits) {
        (params, x, context) throws(FlowError) in
        let (a, logDetA) = try mapping.body(params, x.block(0, of: 2), context)
        let (b, logDetB) = try mapping.body(params, x.block(1, of: 2), context)
        return (concatenate(a, b, axis: -1), logDetA + logDetB)
      }
    }
    return (params, both(forward), both(inverse))
  }
}
