import Randomness
import Tensors

/// A distribution of independent Laplace variables, standard ones or with a location and a scale each.
///
/// log p(x) = −Σ |z| − Σ logScale − D log 2 with z = (x − location) · exp(−logScale)
/// for a sample of D numbers.
///
/// Draws: location + exp(logScale) · ε with ε = `key.laplace`. Both cost O(D).
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Laplace: LocationScaleFamily {
  /// The location and the scale, standard, given or learned.
  public let locationScale: LocationScale

  /// Makes the standard distribution, or a learned one with `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// Makes a distribution with a location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// The log-normalizer log 2.
  public var logNormalizer: Double { 0.693_147_180_559_945_31 }
  /// The log-kernel −Σ |z|.
  public func logKernel(_ z: Tensor) -> Tensor { -abs(z).sumPerRow() }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.laplace(shape, dtype: dtype) }
}
