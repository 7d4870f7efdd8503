import Tensors

/// The form of an affine map's scale, a function from a raw number r to the logarithm of the scale.
public enum LogScale: Sendable, Hashable {
  /// c · tanh(r / c), which is bounded by ±c, so that neither direction can overflow.
  case bounded(Double)
  /// r itself, as in RealNVP's paper and in jax-flows.
  case exponential
  /// log sigmoid(r + shift), a contraction, as in Glow's code with shift 2.
  case sigmoid(shift: Double)
  /// log(low + (high − low) · sigmoid(r)): the scale has bounds 0 ≤ low < high. With 0 and 2 it starts at 1.
  case within(low: Double, high: Double)
  /// c · atan r, which stays within ±c π/2. With c = 1.272 it is the clamp of INNs.
  case arctangent(Double)

  /// Computes the logarithm of the scale.
  public func callAsFunction(_ r: Tensor) -> Tensor {
    switch self {
    case .bounded(let bound): bound * tanh(r / bound)
    case .exponential: r
    case .sigmoid(let shift): logSigmoid(r + shift)
    case .within(0, let high): logSigmoid(r) + log(Tensor(high, dtype: r.dtype))
    case .within(let low, let high): logarithm(r, low, high)
    case .arctangent(let factor): factor * atan(r)
    }
  }

  /// Computes log(low + (high − low) σ(r)).
  ///
  /// That number is high (1 + k e⁻ʳ) / (1 + e⁻ʳ) with k = low / high, and also low (1 + eʳ / k) / (1 + eʳ).
  /// In the first form the derivative cancels for r far below log k, in the second for r far above 0.
  private func logarithm(_ r: Tensor, _ low: Double, _ high: Double) -> Tensor {
    let logRatio = log(Tensor(low / high, dtype: r.dtype))
    let first = logSigmoid(r) + softplus(logRatio - r) + log(Tensor(high, dtype: r.dtype))
    let second = softplus(r - logRatio) - softplus(r) + log(Tensor(low, dtype: r.dtype))
    return select(where: r.detached .> 0.5 * logRatio, first, second)
  }
}
