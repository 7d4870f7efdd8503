import Randomness
import Tensors

/// Brings angles into one turn, from −π to π.
///
/// Map: y = x − 2π ⌊(x + π) / 2π⌋ for each number. log|det J| = 0. Inverse: the same map, so an angle comes
/// back up to whole turns, and is itself between −π and π. O(D) both. No parameters.
///
/// Behind shifts of angles it serves priors on one turn, such as a `Uniform`. In front of a flow it keeps
/// draws between −π and π.
///
/// Domain: all reals, as angles. Errors: none of its own.
public struct WrappedAngles: Bijection {
  /// Makes a map into one turn.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let wrap: Site.Function = { _, x, _ in
      let turn = 2 * Double.pi
      let y = x - turn * floor((x.detached + .pi) / turn)
      // Rounding may put y outside. The derivative stays that of y.
      return y + (minimum(maximum(y.detached, -.pi), .pi) - y.detached)
    }
    return site.volumePreserving("WrappedAngles", forward: wrap, inverse: wrap)
  }
}
