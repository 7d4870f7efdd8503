import Randomness
import Tensors

/// Independent Laplace variables: standard ones, or with a location and a scale each.
///
/// log p(x) = −Σ |z| − Σ logScale − D log 2 with z = (x − location) · exp(−logScale), over the D numbers of a
/// sample.
///
/// Draws: location + exp(logScale) · ε with ε = `key.laplace`. O(D) both.
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Laplace: LocationScaleFamily {
  /// Where location and scale come from.
  public let locationScale: LocationScale

  /// The standard form, or `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// A location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// log 2.
  public var logNormalizer: Double { 0.693_147_180_559_945_31 }
  /// −Σ |z|.
  public func logKernel(_ z: Tensor) -> Tensor { -abs(z).sumPerRow() }
  /// Standard draws.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.laplace(shape, dtype: dtype) }
}
