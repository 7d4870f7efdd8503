import Networks
import Randomness
import Tensors

/// HINT for the joint density of observations and unknowns: the pair (y, x), concatenated on the last axis, of which y goes its
/// own way and x sees it.
///
/// Map: z_y = H_y(y) and z_x = f(H_x(x); net(y, context)), H_y and H_x with permutations of their own, so the Jacobian is
/// triangular in blocks. (InvertibleNetworks.jl shows the network y under H_y's permutation: another basis of the same y.)
///
/// log|det J| = the sum of the couplings. Inverse: y first, then x. Cost: that of both recursions and one network.
///
/// z_y depends on y alone. So with a flow of such layers, forward(y, anything) gives z_y, and the inverse of (z_y, z_x) with z_x
/// from the prior gives y again beside a draw from the posterior of x given y; reverses between layers would mix the two.
///
/// Parameters: `y` and `x` as of `HINT`, `net` of the coupling between them. Domain: all reals. Errors: those of `HINT` and
/// the network; `mismatch` when y takes all channels.
///
/// Kruse, Detommaso, Köthe & Scheichl 2021, *HINT*, arXiv 1905.10687, section 3.2, eqs. 9-10.
public struct JointHINT: Bijection {
  private let network: any Network
  private let transformer: any Transformer
  private let observed: Int
  private let lanes: HINT

  /// A joint layer whose first `observed` channels are y.
  ///
  /// - Precondition: `observed` is at least 2.
  public init(
    _ network: any Network, _ transformer: any Transformer = Affine(), observed: Int,
    permutation: HINT.Permutation = .full, isShared: Bool = true
  ) {
    require(observed >= 2, "JointHINT: at least 2 observed channels, got \(observed)")
    self.network = network
    self.transformer = transformer
    self.observed = observed
    lanes = HINT(network, transformer, permutation: permutation, isShared: isShared)
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (cut, rest) = (observed, site.channels - observed)
    if rest < 1 {
      throw .mismatch(
        who: "JointHINT", what: "channels", expected: "more than \(cut)", got: "\(site.inputDim)")
    }
    func lane(_ i: Int, _ channels: Int) throws(FlowError) -> Initialized {
      var place = site
      place.inputDim = site.inputDim.replacing(-1, by: channels)
      return try lanes.initialize(key.folded(in: i), at: place)
    }
    let (y, x) = (try lane(0, cut), try lane(1, rest))
    let (netParams, net) = try site.conditioner(
      network, key.folded(in: 2), inputs: cut, outputs: transformer.parameterCount * rest)
    let transformer = transformer
    let params: Params = ["y": y.params, "x": x.params, "net": netParams]
    return site.layer("JointHINT", params, traits: transformer.traits) {
      (params, pair, context) throws(FlowError) in
      let observed = pair.sliced(axis: -1, 0..<cut)
      let (zy, logDetY) = try y.forward.body(params.child("y"), observed, context)
      let (h, logDetX) = try x.forward.body(
        params.child("x"), pair.sliced(axis: -1, cut..<cut + rest), context)
      let (zx, logDet) = transformer.forward(h, net(params.child("net"), observed, context))
      return (concatenate(zy, zx, axis: -1), logDetY + logDetX + logDet)
    } inverse: { (params, pair, context) throws(FlowError) in
      let (observed, logDetY) = try y.inverse.body(params.child("y"), pair.sliced(axis: -1, 0..<cut), context)
      let raw = net(params.child("net"), observed, context)
      let (h, logDet) = transformer.inverse(pair.sliced(axis: -1, cut..<cut + rest), raw)
      let (unknown, logDetX) = try x.inverse.body(params.child("x"), h, context)
      return (concatenate(observed, unknown, axis: -1), logDetY + logDetX + logDet)
    }
  }
}
