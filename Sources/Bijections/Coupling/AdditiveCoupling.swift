/// One half of the channels shifts the other half: NICE's coupling.
///
/// Map: with x = (a, b), a the first ⌊D/2⌋ channels: y = (a, b + net(a, context)).
///
/// log|det J| = 0: it preserves volume. Inverse: b = y_b − net(a, context). Cost: the network's, both ways.
///
/// Parameters: `net`; its last layer starts at zero by default (see `MLP`), and the coupling as the identity.
///
/// Domain: all reals. Errors: those of the network for shapes it cannot take.
///
/// Dinh, Krueger & Bengio 2014, *NICE*, arXiv 1410.8516, section 3.2.
public struct AdditiveCoupling: Bijection {
  private let network: any Network

  /// A coupling whose shift the network gives.
  public init(_ network: any Network) { self.network = network }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let halves = Halves(site)
    let (params, net) = try site.conditioner(network, key, inputs: halves.cut, outputs: halves.transformed)
    return site.layer("AdditiveCoupling", ["net": params], traits: .volumePreserving) { params, x, context in
      let (a, b) = halves.split(x)
      return (halves.join(a, b + net(params.child("net"), a, context)), .zeros([x.rows], dtype: x.dtype))
    } inverse: { params, y, context in
      let (a, b) = halves.split(y)
      return (halves.join(a, b - net(params.child("net"), a, context)), .zeros([y.rows], dtype: y.dtype))
    }
  }
}
