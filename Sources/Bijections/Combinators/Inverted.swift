import Randomness
import Tensors

/// Swaps the two directions of a bijection.
///
/// Map: y = f⁻¹(x). log|det J|: that of f⁻¹. Inverse: f. Parameters: those of f.
///
/// Data for initial parameters are taken as outputs of f. Errors: those of f; `mismatch` if f changes the
/// sample's shape. Use its counterpart then, such as `Unsqueeze` for `Squeeze`.
public struct Inverted: Bijection {
  /// The bijection whose directions are swapped.
  public let bijection: any Bijection

  /// Swaps the directions of a bijection.
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
