import Randomness
import Tensors

/// A map of pixels between 0 and 1 to the real line, with a margin that keeps 0 and 1 finite.
///
/// Map: y = log p − log(1 − p) with p = m + (1 − 2m) x.
/// log|det J| = Σ (softplus(y) + softplus(−y) + log(1 − 2m)); O(D).
///
/// Inverse: x = (sigmoid(y) − m) / (1 − 2m). O(D). No parameters.
///
/// Domain: the numbers with 0 < p < 1, slightly more than the interval [0, 1]. Errors: none of its own.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, section 4.1,
/// with m = 0.05.
public struct PixelLogit: Bijection {
  /// The margin m.
  public let margin: Double

  /// Makes a logit with a margin.
  ///
  /// - Precondition: The margin lies between 0 and ½.
  public init(margin: Double = 0.05) {
    require(margin > 0 && margin < 0.5, "PixelLogit: a margin between 0 and 1/2, got \(margin)")
    self.margin = margin
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let scale = 1 - 2 * margin
    @Sendable func logDet(_ y: Tensor) -> Tensor {
      (-logSigmoidSlope(y) + log(Tensor(scale, dtype: y.dtype))).sumPerRow()
    }
    let domain = Domain(site.inputDim, .interval(-margin / scale, 1 + margin / scale))
    return site.layer("PixelLogit", from: domain) { _, x, _ in
      let p = margin + scale * x
      let y = log(p) - log1p(-p)
      return (y, logDet(y))
    } inverse: { _, y, _ in
      ((sigmoid(y) - margin) / scale, -logDet(y))
    }
  }
}
