/// Wraps a bijection of any type, for wrappers that are generic over the type of their member.
///
/// Map, log|det J|, inverse, parameters, domain and errors: those of the bijection.
public struct AnyBijection: ComposedBijection {
  public let composed: any Bijection

  /// Hides the type of a bijection.
  public init(_ bijection: any Bijection) { composed = bijection }
}

extension Conditioned where Base == AnyBijection {
  /// Makes a bijection of any type see its context through a transformation.
  public init(_ base: any Bijection, by transform: any ContextTransform) {
    self.init(AnyBijection(base), by: transform)
  }
}
