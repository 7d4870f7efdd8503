import Networks

/// An affine coupling with two networks, one for the scale and one for the shift:
/// `AffineCoupling(SideBySide(scale, translate))`.
///
/// Map: with x = (a, b) by the split: y = (a, b · exp(s(scale(a, context))) + translate(a, context)).
///
/// log|det J| and its cost, inverse, domain and errors: those of `AffineCoupling`.
///
/// Parameters: `net/0` of the scale's network, `net/1` of the shift's.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, eqs. 4-8.
public struct AffineCouplingSplit: ComposedBijection {
  public let composed: any Bijection

  /// Makes a coupling from the networks of scale and shift. `form` gives the log-scale, by default smoothly
  /// bounded.
  public init(
    scale: any Network, translate: any Network, form: Affine.Scale = .bounded(2), split: Split = .firstHalf
  ) {
    composed = AffineCoupling(SideBySide(scale, translate), scale: form, split: split)
  }
}
