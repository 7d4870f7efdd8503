import Randomness
import Tensors

/// A layer made from a closure.
///
/// ```swift
/// let double = Lambda { key, site in
///   site.layer("double") { _, x, _ in
///     2 * x
///   } logDet: { _, x, _ in
///     Tensor(log(2) * Double(site.inputDim.count), dtype: x.dtype)
///   } inverse: { _, y, _ in
///     y / 2
///   }
/// }
/// ```
public struct Lambda: Bijection {
  private let make: @Sendable (Key, Site) throws(FlowError) -> Initialized

  /// Makes a layer that the closure initializes.
  public init(_ make: @escaping @Sendable (Key, Site) throws(FlowError) -> Initialized) { self.make = make }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized { try make(key, site) }
}
