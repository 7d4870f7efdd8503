import Randomness
import Tensors

/// The channels in reverse order.
///
/// Map: yᵢ = x_{D−1−i} on the last axis. log|det J| = 0. Inverse: itself. O(D). No parameters. Domain: all reals.
public struct Reverse: Bijection {
  /// A reversal.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let flip: Site.Function = { _, x, _ in x.flipped(axis: -1) }
    return site.volumePreserving("Reverse", forward: flip, inverse: flip)
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

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let permutation = Tensor(ints: key.permutation(site.channels))
    return site.volumePreserving("Shuffle", ["permutation": .frozen(permutation)]) { params, x, _ in
      x.gathered(params["permutation"])
    } inverse: { params, y, _ in
      y.gathered(params["permutation"].inversePermutation)
    }
  }
}

/// The channels in an order that the caller gives.
///
/// Map: yᵢ = x_{order(i)} on the last axis. log|det J| = 0. Inverse: x_{order(i)} = yᵢ. O(D). No parameters. Domain: all reals.
/// Errors: `mismatch` for another number of channels.
public struct Permute: Bijection {
  private let order: [Int]

  /// A permutation.
  ///
  /// - Precondition: each position from 0 on, once.
  public init(_ order: [Int]) {
    require(order.sorted() == Array(order.indices), "Permute: each position from 0 on, once; got \(order)")
    self.order = order
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if site.channels != order.count {
      throw .mismatch(who: "Permute", what: "channels", expected: "\(order.count)", got: "\(site.inputDim)")
    }
    let permutation = Tensor(ints: order)
    let back = permutation.inversePermutation
    return site.volumePreserving("Permute") { _, x, _ in
      x.gathered(permutation)
    } inverse: { _, y, _ in
      y.gathered(back)
    }
  }
}
