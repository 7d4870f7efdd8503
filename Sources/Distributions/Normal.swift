import Randomness
import Tensors

/// Independent normal variables: standard ones, or with a location and a scale each.
///
/// log p(x) = −½ Σ z² − Σ logScale − (D/2) log 2π with z = (x − location) · exp(−logScale), over the D numbers of a
/// sample.
///
/// Draws: location + exp(logScale) · ε with ε = `key.normal`. O(D) both.
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Normal: LocationScaleFamily {
  /// Where location and scale come from.
  public let locationScale: LocationScale

  /// The standard form, or `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// A location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// ½ log 2π.
  public var logNormalizer: Double { 0.5 * 1.8378770664093454836 }
  /// −½ Σ z².
  public func logKernel(_ z: Tensor) -> Tensor { -0.5 * square(z).sumPerRow() }
  /// Standard draws.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.normal(shape, dtype: dtype) }
}
