import Tensors

/// Flow++'s transformer: the distribution function of a mixture of logistics, back to the reals, then an affine map.
///
/// y = logit(Σₖ wₖ σ((x − μₖ) / cₖ)) · exp(s(r)) + t, with w a softmax, log c = 5 tanh(raw / 5), s(r) = 2 tanh(r / 2).
///
/// log|det| = Σ log dy/dx, from logarithms throughout (see `SigmoidMixture`). Inverse: the affine map's in closed form,
/// the mixture's by a bracketed Newton iteration (`inverseOfMonotone`). O(n K) both, the inverse about 10 times.
///
/// Raw parameters, 3K + 2 a number and those of one number together: K of the weights, K of the means, which are added to
/// K numbers evenly from −1 to 1, K of the log-scales, then r and t. Zeros give a map near the identity (slopes between
/// 0.9 and 1) whose components differ, so that training can part them.
///
/// Domain: all reals.
///
/// Ho, Chen, Srinivas, Duan & Abbeel 2019, *Flow++*, arXiv 1902.00275, section 3.2 and eqs. 4-8.
public struct MixtureOfLogistics: NumberwiseTransformer {
  private let components: Int

  /// A mixture of that many logistics.
  ///
  /// - Precondition: at least one.
  public init(components: Int = 8) {
    require(components >= 1, "MixtureOfLogistics: components must be at least 1, got \(components)")
    self.components = components
  }

  /// `MixtureOfLogistics`.
  public var name: String { "MixtureOfLogistics" }
  /// Weights, means, log-scales, r and t.
  public var parameterCount: Int { 3 * components + 2 }

  func forward(number x: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let (mixture, scale, shift) = parts(raw)
    let (z, logSlope) = mixture.forward(x)
    return (z * exp(scale) + shift, logSlope + scale)
  }

  func inverse(number y: Tensor, _ raw: Tensor) -> (outputs: Tensor, logSlope: Tensor) {
    let (mixture, scale, shift) = parts(raw)
    let x = mixture.inverse((y - shift) * exp(-scale))
    return (x, mixture.forward(x).logSlope + scale)
  }

  private func parts(_ raw: Tensor) -> (mixture: SigmoidMixture, logScale: Tensor, shift: Tensor) {
    let k = components
    let mean = raw.columns(k..<2 * k) + SigmoidMixture.spread(k, dtype: raw.dtype)
    let logRate = -Affine.Scale.bounded(5)(raw.columns(2 * k..<3 * k))
    let mixture = SigmoidMixture(
      logWeight: raw.columns(0..<k).logSoftmax(axis: 1), logRate: logRate, shift: -mean * exp(logRate))
    return (mixture, Affine.Scale.bounded(2)(raw.column(3 * k)), raw.column(3 * k + 1))
  }
}
