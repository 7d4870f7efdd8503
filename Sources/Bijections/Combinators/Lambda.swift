import Randomness
import Tensors

/// A layer from a function value, written on the spot.
///
/// ```swift
/// let double = Lambda { key, site in
///   site.layer("double", .empty) { _, x, _ in
///     (2 * x, .full([x.rows], log(2) * Double(site.inputDim.count), dtype: x.dtype))
///   } inverse: { _, y, _ in
///     (y / 2, .full([y.rows], -log(2) * Double(site.inputDim.count), dtype: y.dtype))
///   }
/// }
/// ```
public struct Lambda: Bijection {
  private let make: @Sendable (Key, Site) throws(FlowError) -> Initialized

  /// A layer that `make` initializes.
  public init(_ make: @escaping @Sendable (Key, Site) throws(FlowError) -> Initialized) { self.make = make }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized { try make(key, site) }
}
