/// The channels in reverse order.
///
/// Map: yᵢ = x_{D−1−i} on the last axis. log|det J| = 0. Inverse: itself. O(D). No parameters. Domain: all reals.
public struct Reverse: Bijection {
  /// A reversal.
  public init() {}

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let flip: Mapping.Body = { _, x, _ in (x.flipped(axis: -1), .zeros([x.rows], dtype: x.dtype)) }
    return site.layer("Reverse", .empty, traits: .volumePreserving, forward: flip, inverse: flip)
  }
}

/// The channels in a random order that stays fixed.
///
/// Map: yᵢ = x_{p(i)} on the last axis. log|det J| = 0. Inverse: x_{p(i)} = yᵢ. O(D). Domain: all reals.
///
/// Parameters, frozen: `permutation` [D] (int32), drawn uniformly from the key. It travels with the parameters, so a tree
/// loaded under another key is the same map.
public struct Shuffle: Bijection {
  /// A random permutation.
  public init() {}

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let permutation = Tensor(ints: key.permutation(site.channels))
    return site.layer("Shuffle", ["permutation": .frozen(permutation)], traits: .volumePreserving) {
      params, x, _ in
      (x.gathered(params["permutation"]), .zeros([x.rows], dtype: x.dtype))
    } inverse: { params, y, _ in
      (y.gathered(params["permutation"].inversePermutation), .zeros([y.rows], dtype: y.dtype))
    }
  }
}
