import Bijections
import Randomness
import Tensors

/// A distribution of independent Gumbel variables, the limit of largest values: standard ones or with a
/// location and a scale each.
///
/// log p(x) = −Σ (z + e^(−z)) − Σ logScale with z = (x − location) · exp(−logScale).
///
/// Draws: location + exp(logScale) · ε with ε = `key.gumbel`. Both cost O(D).
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Gumbel: LocationScaleFamily {
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
  /// The log-kernel −Σ (z + e^(−z)).
  public func logKernel(_ z: Tensor) -> Tensor {
    // At −∞ the sum would be NaN. Its exponential is infinite from −1000 on.
    let z = maximum(z, -1000)
    return -(z + exp(-z)).sumPerRow()
  }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.gumbel(shape, dtype: dtype) }
}
