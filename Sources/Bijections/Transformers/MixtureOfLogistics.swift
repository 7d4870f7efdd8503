import Tensors

/// The transformer of Flow++: the distribution function of a mixture of logistics, then logit and affine map.
///
/// y = logit(Σₖ wₖ σ((x − μₖ) / cₖ)) · exp(s(r)) + t, with w a softmax, log c = 5 tanh(raw / 5) and
/// s(r) = 2 tanh(r / 2).
///
/// log|det| = Σ log dy/dx, computed in logarithms (see `SigmoidMixture`). Inverse: in closed form for the
/// affine map, by a bracketed Newton iteration (`inverseOfMonotone`) for the mixture. O(n K) both; the
/// inverse costs about 10 times as much.
///
/// Raw parameters, 3K + 2 per number, one number after the other: K weights, K means, K log-scales, r and
/// t. The means are added to K numbers evenly spaced from −1 to 1. Zeros give a map near the identity, with
/// slopes between 0.9 and 1. Its components differ, so they can learn apart.
///
/// Domain: all reals.
///
/// Ho, Chen, Srinivas, Duan & Abbeel 2019, *Flow++*, arXiv 1902.00275, section 3.2 and eqs. 4-8.
public struct MixtureOfLogistics: NumberwiseTransformer {
  private let components: Int

  /// Makes a mixture of logistics.
  ///
  /// - Precondition: There is at least one component.
  public init(components: Int = 8) {
    require(components >= 1, "MixtureOfLogistics: components must be at least 1, got \(components)")
    self.components = components
  }

  public var name: String { "MixtureOfLogistics" }
  public var parameterCount: Int { 3 * components + 2 }

  func map(numbers: Tensor, _ raw: Tensor, isInverse: Bool) -> (outputs: Tensor, logSlope: Tensor) {
    let k = components
    let mean = raw.columns(k..<2 * k) + Tensor(evenlySpaced(k), dtype: raw.dtype)
    let logRate = -LogScale.bounded(5)(raw.columns(2 * k..<3 * k))
    let mixture = SigmoidMixture(
      logWeight: raw.columns(0..<k).logSoftmax(axis: 1), logRate: logRate, shift: -mean * exp(logRate))
    let (logScale, shift) = (LogScale.bounded(2)(raw.column(3 * k)), raw.column(3 * k + 1))
    if isInverse {
      let x = mixture.inverse((numbers - shift) * exp(-logScale))
      return (x, mixture.forward(x).logSlope + logScale)
    }
    let (z, logSlope) = mixture.forward(numbers)
    return (z * exp(logScale) + shift, logSlope + logScale)
  }
}
