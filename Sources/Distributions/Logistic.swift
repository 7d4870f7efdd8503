import Randomness
import Tensors

/// Independent logistic variables: standard ones, or with a location and a scale each.
///
/// log p(x) = Σ log σ(z) + Σ log σ(−z) − Σ logScale with z = (x − location) · exp(−logScale), over the D numbers of a
/// sample.
///
/// Draws: location + exp(logScale) · ε with ε = `key.logistic`. O(D) both.
///
/// Parameters, domain and errors: see `LocationScaleFamily`. A context is ignored.
public struct Logistic: LocationScaleFamily {
  /// Where location and scale come from.
  public let locationScale: LocationScale

  /// The standard form, or `.learned`.
  public init(_ locationScale: LocationScale = .standard) { self.locationScale = locationScale }
  /// A location and a scale, each given or learned.
  public init(location: Parameter, scale: Parameter) {
    self.init(LocationScale(location: location, scale: scale))
  }

  /// 0.
  public var logNormalizer: Double { 0 }
  /// −Σ (softplus(z) + softplus(−z)).
  public func logKernel(_ z: Tensor) -> Tensor { -(softplus(z) + softplus(-z)).sumPerRow() }
  /// Standard draws.
  public func draw(_ key: Key, _ shape: Shape, dtype: DType) -> Tensor { key.logistic(shape, dtype: dtype) }
}
