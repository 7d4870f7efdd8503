/// A bijection of any type, as one type: for wrappers that are generic over what they wrap.
///
/// Map, log|det J|, inverse, parameters, domain and errors: those of the bijection.
public struct AnyBijection: ComposedBijection {
  public let composed: any Bijection

  /// A bijection whose type does not show.
  public init(_ bijection: any Bijection) { composed = bijection }
}

extension Conditioned where Base == AnyBijection {
  /// A bijection of any type, and the transformation of its context.
  public init(_ base: any Bijection, by transform: any ContextTransform) {
    self.init(AnyBijection(base), by: transform)
  }
}
