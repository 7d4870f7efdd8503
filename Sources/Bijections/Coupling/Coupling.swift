import Networks
import Randomness
import Tensors

/// One part of a sample passes unchanged, and a network of it gives the parameters of a transformer of the
/// other part.
///
/// Map: with x = (a, b) by the split: y = (a, f(b; θ)) with θ = net(a, context).
///
/// log|det J| = that of the transformer at b. Inverse: (a, f⁻¹(y_b; θ)) with the same θ, since a passes.
/// Cost: one network and one transformer, both ways.
///
/// A split of positions (`.checkerboard`, or a mask of the whole sample) shows the network the whole sample
/// with zeros in place of b. The network then gives parameters for a too, which are dropped.
///
/// If the transformer is a map of a circle, the network sees sines and cosines of a, so that θ has the same
/// period. For samples with angles and other numbers, choose by `isPeriodic`, or use `PeriodicFeatures`.
///
/// Parameters: `net`. Its last layer starts at zero by default (see `MLP`), and so do the raw parameters of
/// the transformer. Data for initial parameters adapt the network (`Network.adapted`). `.random` adds a
/// frozen leaf, `permutation` [channels] (int32), with the passing channels first.
///
/// Domain: all reals, if the transformer's is. Errors: those of the network for shapes it cannot take;
/// `mismatch` for a split that the sample's shape cannot have. With one channel nothing passes, and the map
/// depends on the context alone.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Density estimation using Real NVP*, arXiv 1605.08803, sections 3.2
/// and 3.4.
public struct Coupling: Bijection {
  private let network: any Network
  private let transformer: any Transformer
  private let split: Split
  /// The period of the numbers that pass, if they are angles.
  private let period: Double?

  /// Makes a coupling from the network and the transformer whose parameters it gives.
  ///
  /// - Parameter isPeriodic: Whether the numbers that pass are angles, of the transformer's period or else
  ///   2π. By default they are if the transformer is a map of a circle.
  public init(
    _ network: any Network, _ transformer: any Transformer, split: Split = .firstHalf,
    isPeriodic: Bool? = nil
  ) {
    (self.network, self.transformer, self.split) = (network, transformer, split)
    period = isPeriodic ?? (transformer.period != nil) ? transformer.period ?? 2 * .pi : nil
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (partition, order) = try split.partition(key.folded(in: 1), at: site)
    let conditioner: any Network =
      period.map { PeriodicFeatures(network, period: $0, features: 0..<partition.seen) } ?? network
    let (netParams, net) = try site.conditioner(
      conditioner, key.folded(in: 0), inputs: partition.seen,
      outputs: transformer.parameterCount * partition.transformed,
      seen: (site.initInputs ?? site.initOutputs).map { partition.open($0, order).seen })
    var params: Params = ["net": netParams]
    if let order { params = ["net": netParams, "permutation": .frozen(order)] }

    func body(_ map: @escaping Map) -> Mapping.Body {
      { params, x, context in
        let parts = partition.open(x, order == nil ? nil : params["permutation"])
        let raw = net(params.child("net"), parts.seen, context)
        let (y, logDet) = map(parts.transformed, parts.parameters(raw))
        return (parts.close(y), logDet)
      }
    }
    let transformer = transformer
    let (map, back): (Map, Map) = ({ transformer.forward($0, $1) }, { transformer.inverse($0, $1) })
    var (initial, forward, inverse) = site.layer(
      "Coupling(\(transformer.name))", params, traits: transformer.traits, forward: body(map),
      inverse: body(back))
    forward.composition = .layer(reversal(partition, isOrdered: order != nil, net, map, back))
    inverse.composition = .layer(reversal(partition, isOrdered: order != nil, net, back, map))
    return (initial, forward, inverse)
  }
}
