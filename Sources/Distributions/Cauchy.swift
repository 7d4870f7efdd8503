import Randomness
import Tensors

/// Independent Cauchy variables: standard ones, or with a location and a scale each.
///
/// log p(x) = −Σ log(1 + z²) − Σ logScale − D log π with z = (x − location) · exp(−logScale), over the D numbers of a
/// sample.
///
/// Draws: location + exp(logScale) · ε with ε = `key.cauchy`. O(D) both.
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Cauchy: LocationScaleFamily {
  /// Where location and scale come from.
  public let locationScale: LocationScale

  /// The standard form, or `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// A location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// log π.
  public var logNormalizer: Double { 1.144_729_885_849_400_17 }
  /// −Σ log(1 + z²).
  public func logKernel(_ z: Tensor) -> Tensor { -logOnePlusSquare(z).sumPerRow() }
  /// Standard draws.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.cauchy(shape, dtype: dtype) }
}

/// log(1 + z²), also where z² overflows: 2 log|z| + log(1 + 1/z²) from 1 on.
func logOnePlusSquare(_ z: Tensor) -> Tensor {
  let a = abs(z)
  let isLarge = a .> 1
  // The branch that is not taken gets the safe operand 1.
  let large = select(where: isLarge, a, 1)
  return 2 * log(large) + log1p(square(select(where: isLarge, 1 / large, a)))
}
