import Tensors

/// Deep sigmoidal flow, the transformer of neural autoregressive flows: layers of logit(Σₖ wₖ σ(aₖ x + bₖ)).
///
/// w is a softmax, a = 10⁻³ + softplus(raw), offset such that 0 gives 1, b the raw value added to K numbers evenly from
/// −1 to 1.
///
/// log|det| = Σ log of the layers' derivatives, from logarithms throughout (see `SigmoidMixture`). Inverse: layer by
/// layer, last to first, by a bracketed Newton iteration (`inverseOfMonotone`). O(n K) a layer both, the inverse about 10
/// times.
///
/// Raw parameters, 3K a layer and number, those of one number together: layer by layer K of w, K of a, K of b. Zeros give
/// a map near the identity (a layer's slope is between 0.9 and 1) whose units differ, so that training can part them.
///
/// Domain: all reals.
///
/// Huang, Krueger, Lacoste & Courville 2018, *Neural autoregressive flows*, arXiv 1804.00779, section 3.1, eq. 8.
public struct DeepSigmoidal: NumberwiseTransformer {
  private let units: Int
  private let layers: Int

  /// That many layers of that many sigmoids.
  ///
  /// - Precondition: at least one each.
  public init(units: Int = 8, layers: Int = 1) {
    require(
      units >= 1 && layers >= 1, "DeepSigmoidal: at least one unit and one layer, got \(units), \(layers)")
    self.units = units
    self.layers = layers
  }

  /// `DeepSigmoidal`.
  public var name: String { "DeepSigmoidal" }
  /// Weights, rates and shifts of every layer.
  public var parameterCount: Int { 3 * units * layers }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    var (y, total) = (x, Tensor.zeros(x.shape, dtype: x.dtype))
    for layer in 0..<layers {
      let (next, logSlope) = mixture(layer, raw).forward(y)
      (y, total) = (next, total + logSlope)
    }
    return (y, total)
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    var x = y
    for layer in (0..<layers).reversed() { x = mixture(layer, raw).inverse(x) }
    return (x, forward(number: x, raw).logSlope)
  }

  private func mixture(_ layer: Int, _ raw: Tensor) -> SigmoidMixture {
    let raw = raw.columns(3 * units * layer..<3 * units * (layer + 1))
    return SigmoidMixture(
      logWeight: raw.columns(0..<units).logSoftmax(axis: 1),
      logRate: log(1e-3 + softplus(raw.columns(units..<2 * units) + rateOffset)),
      shift: raw.columns(2 * units..<3 * units) + SigmoidMixture.spread(units, dtype: raw.dtype))
  }
}

/// softplus of this is 1 − 10⁻³.
private let rateOffset = log(expm1(Tensor(1 - 1e-3, dtype: .float64))).item
