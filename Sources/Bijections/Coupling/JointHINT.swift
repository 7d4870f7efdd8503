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

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (cut, channels) = (observed, site.channels)
    if cut >= channels {
      throw .mismatch(
        who: "JointHINT", what: "channels", expected: "more than \(cut)", got: "\(site.inputDim)")
    }
    let split = Split.mask((0..<channels).map { $0 < cut })
    return try site.chain(
      "JointHINT",
      [
        (OnChannels(cut..<channels, lanes), key.folded(in: 1), "x"),
        (Coupling(network, transformer, split: split), key.folded(in: 2), nil),
        (OnChannels(0..<cut, lanes), key.folded(in: 0), "y"),
      ])
  }
}
