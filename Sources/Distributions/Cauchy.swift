import Randomness
import Tensors

/// A distribution of independent Cauchy variables, standard ones or with a location and a scale each.
///
/// log p(x) = −Σ log(1 + z²) − Σ logScale − D log π with z = (x − location) · exp(−logScale)
/// for a sample of D numbers.
///
/// Draws: location + exp(logScale) · ε with ε = `key.cauchy`. Both cost O(D).
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Cauchy: LocationScaleFamily {
  /// The location and the scale, standard, given or learned.
  public let locationScale: LocationScale

  /// Makes the standard distribution, or a learned one with `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// Makes a distribution with a location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// The log-normalizer log π.
  public var logNormalizer: Double { 1.144_729_885_849_400_17 }
  /// The log-kernel −Σ log(1 + z²).
  public func logKernel(_ z: Tensor) -> Tensor { -logOnePlusSquare(z).sumPerRow() }
  /// Draws from the standard distribution.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.cauchy(shape, dtype: dtype) }
}

/// Computes log(1 + z²), as 2 log|z| + log(1 + 1/z²) from |z| = 1 on, so that z² cannot overflow.
func logOnePlusSquare(_ z: Tensor) -> Tensor {
  let a = abs(z)
  let isLarge = a .> 1
  // The other branch gets the safe operand 1.
  let large = select(where: isLarge, a, 1)
  return 2 * log(large) + log1p(square(select(where: isLarge, 1 / large, a)))
}
