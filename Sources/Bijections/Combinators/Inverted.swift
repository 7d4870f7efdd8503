import Randomness
import Tensors

/// Swaps the two directions of a bijection.
///
/// Map: y = f⁻¹(x); log|det J| is that of the inverse; inverse: f. Parameters: those of the bijection,
/// unwrapped.
///
/// Data for a data-dependent start stand at the inner bijection's output. Errors: the bijection's own;
/// `mismatch` when it changes the sample's shape (give its opposite instead).
public struct Inverted: Bijection {
  /// The bijection that runs backwards.
  public let bijection: any Bijection

  /// The bijection backwards.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  public var members: [any Bijection] { [bijection] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var inner = site
    (inner.initInputs, inner.initOutputs) = (site.initOutputs, site.initInputs)
    let (params, forward, inverse) = try bijection.initialize(key, at: inner)
    guard forward.codomain.shape == site.inputDim else {
      throw .mismatch(
        who: "Inverted", what: "a bijection that keeps the shape", expected: "\(site.inputDim)",
        got: "\(forward.name) to \(forward.codomain.shape)")
    }
    return (params, inverse, forward)
  }
}
