import Tensors

/// The transformer of deep sigmoidal flows: layers of y = logit(Σₖ wₖ σ(aₖ x + bₖ)).
///
/// w is a softmax. a = 10⁻³ + softplus(raw), with an offset such that 0 gives 1. b is the raw value plus a
/// constant; the K constants are evenly spaced from −1 to 1.
///
/// log|det| = Σ log of the layers' derivatives, computed in logarithms (see `SigmoidMixture`). Inverse:
/// layer by layer, last to first, by a bracketed Newton iteration (`inverseOfMonotone`). O(n K) per layer
/// both; the inverse costs about 10 times as much.
///
/// Raw parameters, 3K per layer and number, one number after the other: for each layer
/// K of w, K of a, K of b. Zeros give a map near the identity, with slopes between 0.9 and 1 per layer. Its
/// units differ, so they can learn apart.
///
/// Domain: all reals.
///
/// Huang, Krueger, Lacoste & Courville 2018, *Neural autoregressive flows*, arXiv 1804.00779, section 3.1,
/// eq. 8.
public struct DeepSigmoidal: NumberwiseTransformer {
  private let units: Int
  private let layers: Int

  /// Makes layers of `units` sigmoids.
  ///
  /// - Precondition: There is at least one unit and one layer.
  public init(units: Int = 8, layers: Int = 1) {
    require(
      units >= 1 && layers >= 1, "DeepSigmoidal: at least one unit and one layer, got \(units), \(layers)")
    self.units = units
    self.layers = layers
  }

  public var name: String { "DeepSigmoidal" }
  public var parameterCount: Int { 3 * units * layers }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    if isInverse {
      let x = (0..<layers).reversed().reduce(numbers) { mixture($1, raw).inverse($0) }
      return (x, map(numbers: x, raw, isInverse: false).logSlope)
    }
    var (y, total) = (numbers, Tensor.zeros(numbers.shape, dtype: numbers.dtype))
    for layer in 0..<layers {
      let (next, logSlope) = mixture(layer, raw).forward(y)
      (y, total) = (next, total + logSlope)
    }
    return (y, total)
  }

  private func mixture(_ layer: Int, _ raw: Tensor) -> SigmoidMixture {
    let raw = raw.columns(3 * units * layer..<3 * units * (layer + 1))
    return SigmoidMixture(
      logWeight: raw.columns(0..<units).logSoftmax(axis: 1),
      logRate: log(1e-3 + softplus(raw.columns(units..<2 * units) + rateOffset)),
      shift: raw.columns(2 * units..<3 * units) + Tensor(evenlySpaced(units), dtype: raw.dtype))
  }
}

/// The number whose softplus is 1 − 10⁻³.
private let rateOffset = log(expm1(Tensor(1 - 1e-3, dtype: .float64))).item
