import Randomness
import Tensors

/// Composes layers, first to last.
///
/// Map: y = fₙ(… f₂(f₁(x))). log|det J| = Σ log|det Jᵢ|. Inverse: the layers' inverses, last to first.
///
/// Each layer's codomain is the next one's domain, so layers may change the shape. Layer i draws from
/// `key.folded(in: i)`, so an appended layer leaves the initial values of the others unchanged. `initInputs`
/// passes through the layers already initialized, and the context reaches every layer.
///
/// An array of different layers needs its type said: `let layers: [any Bijection] = [ActNorm(), Reverse()]`.
///
/// Parameters: one child per layer, `0`, `1`, .... Errors: those of the layers, and a value outside the
/// domain of a layer that does not accept all reals.
public struct Serial: Bijection {
  /// The layers in the order in which `forward` runs them.
  public let layers: [any Bijection]

  /// Composes layers, first to last.
  public init(_ layers: any Bijection...) { self.layers = layers }
  /// Composes the layers of an array, first to last.
  public init(_ layers: [any Bijection]) { self.layers = layers }

  public var members: [any Bijection] { layers }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.chain("Serial", layers.enumerated().map { ($1, key.folded(in: $0), "\($0)") })
  }
}
