import Networks
import Randomness
import Tensors

/// HINT for the joint density of observations y and unknowns x, which are concatenated on the last axis.
/// The latents of y depend on y alone, and those of x on both.
///
/// Map: z_y = H_y(y) and z_x = f(H_x(x); net(y, context)), where H_y and H_x have their own permutations. The
/// Jacobian is block triangular. (In InvertibleNetworks.jl the network sees y after H_y's permutation, which
/// is another basis of the same y.)
///
/// log|det J| = the sum of the couplings. Inverse: y first, then x. Cost: that of both recursions and one
/// network.
///
/// A flow of such layers samples from the posterior of x given y. The forward direction gives z_y, whatever x
/// is. The inverse of (z_y, z_x) with z_x from the prior gives y again and a draw of x. Reversed channels
/// between layers would mix the two.
///
/// Parameters: `y` and `x` as of `HINT`, and `net` of the coupling between them. Domain: all reals. Errors:
/// those of `HINT` and the network; `mismatch` if y takes all channels.
///
/// Kruse, Detommaso, Köthe & Scheichl 2021, *HINT*, arXiv 1905.10687, section 3.2, eqs. 9-10.
public struct JointHINT: Bijection {
  private let network: any Network
  private let transformer: any Transformer
  private let observed: Int
  private let lanes: HINT

  /// Makes a joint layer whose first `observed` channels are y.
  ///
  /// - Precondition: `observed` is at least 2.
  public init(
    _ network: any Network, _ transformer: any Transformer = Affine(), observed: Int,
    permutation: HINT.Permutation = .full, isShared: Bool = true
  ) {
    require(observed >= 2, "JointHINT: at least 2 observed channels, got \(observed)")
    (self.network, self.transformer, self.observed) = (network, transformer, observed)
    lanes = HINT(network, transformer, permutation: permutation, isShared: isShared)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (cut, channels) = (observed, site.channels)
    try site.expect(cut < channels, "JointHINT", "channels", "more than \(cut)")
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
