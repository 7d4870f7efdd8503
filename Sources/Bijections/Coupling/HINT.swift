import Networks
import Randomness
import Tensors

/// Hierarchical invertible transport: couplings of halves, of the halves' halves, and so on, whose Jacobian is triangular with
/// few zeros.
///
/// Map: H(x) with x = (a, b) by channels, a the first ⌊D/2⌋. For at most four channels H(x) = (a, f(b; θ)); otherwise
/// H(x) = (H′(a), f(H′(b); θ)), where H′ is the next level's map and θ = net(a, context) sees the *input* half.
/// A permutation P (reflections of the channels) acts at the outermost level only.
///
/// log|det J| = the sum over all couplings; H′'s counts twice where it is shared. Inverse: a = H′⁻¹(y_a), then θ, then
/// b = H′⁻¹(f⁻¹(y_b; θ)). Cost: the networks', a log₂ D levels deep.
///
/// Parameters: `net` of a level, `inner` of the next level, which both halves share; `first` and `second` in its place with
/// `isShared: false`. With a permutation: `rotation` as of `Householder`. Networks' last layers start at zero by default.
///
/// Domain: all reals. Errors: those of the networks; `mismatch` for channels that cannot be halved down to two, three or four
/// (2, 3 or 4 times a power of two works, and any number of at least 2 with `isShared: false`, where halves may be uneven).
///
/// Kruse, Detommaso, Köthe & Scheichl 2021, *HINT*, arXiv 1905.10687, section 3 and algorithm 1.
public struct HINT: Bijection {
  /// Where channels are permuted.
  public enum Permutation: Sendable, Hashable {
    /// Nowhere.
    case none
    /// The second half, before all else.
    case lower
    /// All channels, before all else.
    case full
    /// All channels before all else, and back after it.
    case both
  }

  private let network: any Network
  private let transformer: any Transformer
  private let permutation: Permutation
  private let isShared: Bool

  /// A recursion of couplings, conditioned by networks of one kind.
  public init(
    _ network: any Network, _ transformer: any Transformer = Affine(), permutation: Permutation = .none,
    isShared: Bool = true
  ) {
    self.network = network
    self.transformer = transformer
    self.permutation = permutation
    self.isShared = isShared
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if site.channels < 2 {
      throw .mismatch(who: "HINT", what: "channels", expected: "at least 2", got: "\(site.inputDim)")
    }
    let level = try level(site.channels, key.folded(in: 0))
    let turned = (permutation == .lower ? site.channels / 2 : 0)..<site.channels
    func rotation(_ bijection: any Bijection) -> [Site.Member] {
      [(OnChannels(turned, bijection), key.folded(in: 1), "rotation")]
    }
    let reflections = Householder(reflections: 3)
    return try site.chain(
      "HINT",
      (permutation == .none ? [] : rotation(reflections)) + level
        + (permutation == .both ? rotation(Inverted(reflections)) : []))
  }

  /// Each half through the next level, and between them the coupling that sees the first half as it came in.
  private func level(_ channels: Int, _ key: Key) throws(FlowError) -> [Site.Member] {
    let cut = channels / 2
    let coupling: Site.Member = (Coupling(network, transformer), key, nil)
    if channels <= 4 { return [coupling] }
    if isShared && channels % 2 != 0 {
      throw .mismatch(
        who: "HINT", what: "channels", expected: "2, 3 or 4 times a power of two, or isShared: false",
        got: "\(channels) on the way down")
    }
    func half(_ range: Range<Int>, _ label: String, _ child: Int) throws(FlowError) -> Site.Member {
      let key = key.folded(in: child)
      let links = try level(range.count, key)
      let inner = Lambda { (_, site) throws(FlowError) in try site.chain("HINT", links) }
      return (OnChannels(range, inner), key, isShared ? "inner" : label)
    }
    return [
      try half(cut..<channels, "second", isShared ? 1 : 2), coupling, try half(0..<cut, "first", 1),
    ]
  }
}
