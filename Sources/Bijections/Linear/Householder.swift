import Randomness
import Tensors

/// A learned orthogonal map of the channels, a product of Householder reflections.
///
/// Map: y = x H₁ ⋯ Hₙ on the last axis, Hᵢ = I − 2 vᵢ vᵢᵀ / (vᵢᵀ vᵢ). log|det J| = 0.
///
/// Inverse: the reflections in the opposite order. Cost, both ways: O(n D + n²) per row and O(n² D) once.
///
/// Parameters: `vectors` [n, D], normal at first, so that their directions are uniform. The map depends on
/// the directions only; a vector of zeros gives no reflection. n = D reflections reach every orthogonal
/// matrix of determinant (−1)ᴰ.
///
/// Domain: all reals. Errors: none of its own.
///
/// Tomczak & Welling 2016, *Improving Variational Auto-Encoders using Householder Flow*, arXiv 1611.09630,
/// section 2.3.
public struct Householder: Bijection {
  private let reflections: Int

  /// Makes a product of reflections.
  ///
  /// - Precondition: There is at least one reflection.
  public init(reflections: Int) {
    require(reflections > 0, "a Householder product needs at least one reflection, got \(reflections)")
    self.reflections = reflections
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let vectors = key.normal([reflections, site.channels]).cast(to: site.dtype)
    return site.volumePreserving("Householder", ["vectors": .leaf(vectors)]) { params, x, _ in
      Reflections(params["vectors"]).apply(to: x)
    } inverse: { params, y, _ in
      Reflections(params["vectors"]).undo(in: y)
    }
  }
}

/// A random orthogonal map of the channels that is not learned.
///
/// Map: y = x Q on the last axis, Q a product of D reflections. log|det J| = 0. Inverse: x = y Qᵀ. Cost:
/// O(D²) per row, O(D³) once.
///
/// Parameters, frozen: `vectors` [D, D] as in `Householder`, drawn from the key. For any numbers in a
/// loaded tree, the map is orthogonal up to rounding.
///
/// Domain: all reals. Errors: none of its own.
public struct FixedInvertibleLinear: Bijection {
  /// Makes a random orthogonal map.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try Householder(reflections: site.channels).initialize(key, at: site)
    return (params.frozen, forward, inverse)
  }
}
