import Randomness
import Tensors

/// Gives samples another shape and keeps their numbers in row-major order.
///
/// Map: the same numbers. log|det J| = 0; O(1). Inverse: the original shape. No parameters.
///
/// Domain: all reals. Errors: `mismatch` for a shape with another count of numbers.
public struct Reshape: Bijection {
  private let shape: Shape?

  /// Gives samples the given shape.
  public init(to shape: Shape) { self.shape = shape }
  private init() { shape = nil }

  /// Flattens samples to vectors.
  public static let flat = Reshape()

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (old, new) = (site.inputDim, shape ?? [site.inputDim.count])
    try site.expect(
      old.count == new.count, "Reshape", "a sample with", "\(new.count) numbers, for \(new)")
    return site.volumePreserving("Reshape", to: Domain(new)) { _, x, _ in
      x.reshaped(to: new.batched(x.rows))
    } inverse: { _, y, _ in
      y.reshaped(to: old.batched(y.rows))
    }
  }
}
