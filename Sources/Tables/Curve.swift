import Tensors

/// A rising map of a column's numbers, which makes their distribution more like a normal one.
enum Curve: Sendable, Hashable {
  case identity
  /// log(x − origin), for x > origin.
  case log(origin: Double)
  /// log((x − low) / (high − x)), for low < x < high.
  case logit(low: Double, high: Double)
  /// asinh((x − center) / width): linear in the middle, a logarithm in both tails.
  case asinh(center: Double, width: Double)

  /// Whether numbers lie inside the curve's domain.
  func contains(_ x: Double) -> Bool {
    switch self {
    case .identity: x.isFinite
    case .asinh(let center, let width): abs((x - center) / width) < 1e150
    case .log(let origin): x > origin && x.isFinite
    case .logit(let low, let high): x > low && x < high
    }
  }

  /// Maps float64 numbers of the domain.
  func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: return x
    case .log(let origin): return Tensors.log(x - origin)
    case .logit(let low, let high): return Tensors.log(x - low) - Tensors.log(high - x)
    case .asinh(let center, let width):
      let u = (x - center) / width
      let size = abs(u)
      return sign(u) * Tensors.log(size + sqrt(square(size) + 1))
    }
  }

  /// The logarithm of the slope at float64 numbers of the domain.
  func logSlope(_ x: Tensor) -> Tensor {
    switch self {
    case .identity: return .zeros(x.shape, dtype: x.dtype)
    case .log(let origin): return -Tensors.log(x - origin)
    case .logit(let low, let high):
      let length = Tensors.log(Tensor(high - low, dtype: .float64))
      return length - Tensors.log(x - low) - Tensors.log(high - x)
    case .asinh(let center, let width):
      let u = (x - center) / width
      return -0.5 * log1p(square(u)) - Tensors.log(Tensor(width, dtype: .float64))
    }
  }

  /// Maps back. Numbers far out stay finite.
  func inverse(_ y: Tensor) -> Tensor {
    let bounded = minimum(maximum(y, -690), 690)
    switch self {
    case .identity: return y
    case .log(let origin): return origin + exp(bounded)
    case .logit(let low, let high): return low + (high - low) * sigmoid(bounded)
    case .asinh(let center, let width): return center + width * 0.5 * (exp(bounded) - exp(-bounded))
    }
  }
}
