import Randomness
import Tensors

/// A map of pixels between 0 and 1 to the real line, with a margin that keeps 0 and 1 finite.
///
/// Map: y = log p − log(1 − p) with p = m + (1 − 2m) x. It is that of `FromInterval`, from the interval that
/// p maps to (0, 1).
///
/// log|det J| = Σ (softplus(y) + softplus(−y) + log(1 − 2m)); O(D).
///
/// Inverse: x = (sigmoid(y) − m) / (1 − 2m). O(D). No parameters.
///
/// Domain: the numbers with 0 < p < 1, slightly more than the interval [0, 1]. Errors: `mismatch` for a
/// margin that is lost beside 1 in the dtype.
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
    let end = margin / (1 - 2 * margin)
    if site.dtype.rounded(1 + end) == 1 {
      throw .mismatch(
        who: "PixelLogit", what: "margin", expected: "that \(site.dtype) can add to 1", got: "\(margin)")
    }
    return try FromInterval("PixelLogit", -end, 1 + end).initialize(key, at: site)
  }
}
