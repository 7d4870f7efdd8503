import Networks

/// One part of a sample shifts the other, NICE's coupling: `Coupling` with the transformer `Shift`.
///
/// Map: with x = (a, b) by the split, by default a the first ⌊D/2⌋ channels: y = (a, b + net(a, context)).
///
/// log|det J| = 0: it preserves volume. Inverse: b = y_b − net(a, context). Cost: the network's, both ways.
///
/// Parameters: those of `Coupling`. The network's last layer starts at zero by default (see `MLP`), so the
/// coupling starts as the identity.
///
/// Domain: all reals. Errors: those of the network for shapes it cannot take, and of the split.
///
/// Dinh, Krueger & Bengio 2014, *NICE*, arXiv 1410.8516, section 3.2.
public struct AdditiveCoupling: ComposedBijection {
  public let composed: any Bijection

  /// Makes a coupling from the network of the shift.
  public init(_ network: any Network, split: Split = .firstHalf) {
    composed = Coupling(network, Shift(), split: split)
  }
}
