import Randomness
import Tensors

/// A distribution of independent normal variables, standard ones or with a location and a scale each.
///
/// log p(x) = −½ Σ z² − Σ logScale − (D/2) log 2π with z = (x − location) · exp(−logScale)
/// for a sample of D numbers.
///
/// Draws: location + exp(logScale) · ε with ε = `key.normal`. Both cost O(D).
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Normal: LocationScaleFamily {
  /// The location and the scale, standard, given or learned.
  public let locationScale: LocationScale

  /// Makes the standard distribution, or a learned one with `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// Makes a distribution with a location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// The log-normalizer ½ log 2π.
  public var logNormalizer: Double { 0.5 * 1.8378770664093454836 }
  /// The log-kernel −½ Σ z².
  public func logKernel(_ z: Tensor) -> Tensor { -0.5 * square(z).sumPerRow() }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.normal(shape, dtype: dtype) }
}
