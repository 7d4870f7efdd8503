import Networks

/// One part of a sample scales and shifts the other: `Coupling` with the transformer `Affine`.
///
/// Map: with x = (a, b) by the split, by default a the first ⌊D/2⌋ channels, and (r, t) = net(a, context):
/// y = (a, b · exp(s(r)) + t).
///
/// log|det J| = Σ s(r). Inverse: b = (y_b − t) · exp(−s(r)), with the same r and t since a passes. Cost: the
/// network's, both ways.
///
/// Parameters: those of `Coupling`. The network's last layer starts at zero by default (see `MLP`), so the
/// coupling starts as a constant scaling. It is the identity for `.bounded` and `.exponential`.
///
/// Domain: all reals. Errors: those of the network for shapes it cannot take, and of the split. With D = 1
/// nothing passes, and the coupling depends on the context alone.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, eqs. 4-8.
public struct AffineCoupling: ComposedBijection {
  public let composed: any Bijection

  /// Makes a coupling from the network of scale and shift. By default the log-scale is smoothly bounded.
  public init(_ network: any Network, scale: Affine.Scale = .bounded(2), split: Split = .firstHalf) {
    composed = Coupling(network, Affine(scale: scale), split: split)
  }
}
