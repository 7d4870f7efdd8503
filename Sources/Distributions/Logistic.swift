import Randomness
import Tensors

/// A distribution of independent logistic variables, standard ones or with a location and a scale each.
///
/// log p(x) = Σ log σ(z) + Σ log σ(−z) − Σ logScale with z = (x − location) · exp(−logScale)
/// for a sample of D numbers.
///
/// Draws: location + exp(logScale) · ε with ε = `key.logistic`. Both cost O(D).
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Logistic: LocationScaleFamily {
  /// The location and the scale, standard, given or learned.
  public let locationScale: LocationScale

  /// Makes the standard distribution, or a learned one with `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// Makes a distribution with a location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// The log-normalizer 0.
  public var logNormalizer: Double { 0 }
  /// The log-kernel −Σ (softplus(z) + softplus(−z)).
  public func logKernel(_ z: Tensor) -> Tensor { logSigmoidSlope(z).sumPerRow() }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.logistic(shape, dtype: dtype) }
}
