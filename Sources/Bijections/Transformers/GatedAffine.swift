import Tensors

/// The gated update of inverse autoregressive flows: y = σ(s) · x + (1 − σ(s)) · m.
///
/// s = r + forgetBias, so that at raw zeros most of x is kept and m has little weight.
///
/// log|det| = Σ log σ(s). Inverse: x = m + (y − m) / σ(s). O(n) both. The map is a contraction towards m.
/// Where the inverse would overflow, it ends at a number whose square is infinite: later layers are not NaN.
///
/// Raw parameters: all r, then all m. Domain: all reals. Zeros give y = σ(forgetBias) · x.
///
/// Kingma et al. 2016, *Improved variational inference with inverse autoregressive flow*, arXiv 1606.04934,
/// section 4 and algorithm 1.
public struct GatedAffine: Transformer {
  private let forgetBias: Double

  /// Makes a gated update. The paper starts with a forget-gate bias of 1 or 2.
  public init(forgetBias: Double = 2) { self.forgetBias = forgetBias }

  public var name: String { "GatedAffine" }
  public var parameterCount: Int { 2 }

  public func forward(_ x: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let (logGate, m) = opened(parameters)
    return (m + exp(logGate) * (x - m), logGate.sumPerRow())
  }

  public func inverse(_ y: Tensor, _ parameters: Tensor) -> (outputs: Tensor, logDet: Tensor) {
    let (logGate, m) = opened(parameters)
    let isSingle = y.dtype == .float32
    let (logMost, most): (Double, Double) = isSingle ? (88, 2e19) : (709, 2e154)
    let x = m + exp(minimum(-logGate, logMost)) * (y - m)
    return (minimum(maximum(x, -most), most), -logGate.sumPerRow())
  }

  private func opened(_ parameters: Tensor) -> (logGate: Tensor, m: Tensor) {
    (logSigmoid(parameters.block(0, of: 2) + forgetBias), parameters.block(1, of: 2))
  }
}
