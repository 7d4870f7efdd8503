import Randomness
import Tensors

/// A reversal of the order of the channels.
///
/// Map: yᵢ = x_{D−1−i} on the last axis. log|det J| = 0. Inverse: itself. O(D). No parameters. Domain: all
/// reals.
public struct Reverse: Bijection {
  /// Makes a reversal.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let flip: Site.Function = { _, x, _ in x.flipped(axis: -1) }
    return site.volumePreserving("Reverse", forward: flip, inverse: flip)
  }
}

/// A random permutation of the channels that is not learned.
///
/// Map: yᵢ = x_{p(i)} on the last axis. log|det J| = 0. Inverse: x_{p(i)} = yᵢ. O(D). Domain: all reals.
///
/// Parameters, frozen: `permutation` [D] (int32), drawn uniformly from the key. It is saved with the
/// parameters, so the map does not depend on the key under which they are loaded.
public struct Shuffle: Bijection {
  /// Makes a random permutation.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let permutation = Tensor(ints: key.permutation(site.channels))
    return site.volumePreserving(
      "Shuffle", ["permutation": .frozen(permutation)],
      forward: { params, x, _ in x.gathered(params["permutation"]) },
      inverse: { params, y, _ in y.gathered(params["permutation"].inversePermutation) })
  }
}

/// A permutation of the channels in a given order.
///
/// Map: yᵢ = x_{order(i)} on the last axis. log|det J| = 0. Inverse: x_{order(i)} = yᵢ. O(D). No
/// parameters. Domain: all reals. Errors: `mismatch` for another number of channels.
public struct Permute: Bijection {
  private let order: [Int]

  /// Makes a permutation.
  ///
  /// - Precondition: The order contains each position from 0 on once.
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
    return site.volumePreserving(
      "Permute", forward: { _, x, _ in x.gathered(permutation) }, inverse: { _, y, _ in y.gathered(back) })
  }
}
