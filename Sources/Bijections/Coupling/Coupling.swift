/// One part of the channels passes, and tells how a transformer maps the other part.
///
/// Map: with x = (a, b): y = (a, f(b; θ)) with θ = net(a, context).
///
/// log|det J| = that of the transformer at b. Inverse: (a, f⁻¹(y_b; θ)), since a passes and gives the same θ. Cost: one
/// network and one transformer, both ways.
///
/// Parameters: `net`; its last layer starts at zero by default (see `MLP`), and so do the transformer's raw parameters.
///
/// Domain: all reals, where the transformer's is. Errors: those of the network for shapes it cannot take. With one
/// channel nothing passes, and the map depends on the context alone.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, section 3.2.
public struct Coupling: Bijection {
  private let network: any Network
  private let transformer: any Transformer

  /// A coupling whose transformer's parameters the network gives.
  public init(_ network: any Network, _ transformer: any Transformer) {
    self.network = network
    self.transformer = transformer
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (halves, transformer) = (Halves(site), transformer)
    let (params, net) = try site.conditioner(
      network, key, inputs: halves.cut, outputs: transformer.parameterCount * halves.transformed)
    return site.layer("Coupling(\(transformer.name))", ["net": params], traits: transformer.traits) {
      params, x, context in
      let (a, b) = halves.split(x)
      let (y, logDet) = transformer.forward(b, net(params.child("net"), a, context))
      return (halves.join(a, y), logDet)
    } inverse: { params, y, context in
      let (a, b) = halves.split(y)
      let (x, logDet) = transformer.inverse(b, net(params.child("net"), a, context))
      return (halves.join(a, x), logDet)
    }
  }
}
