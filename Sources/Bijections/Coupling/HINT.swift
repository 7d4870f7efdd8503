import Networks
import Randomness
import Tensors

/// Hierarchical invertible neural transport: couplings of the two halves of the channels, of their halves,
/// and so on. The Jacobian is triangular and dense.
///
/// Map: H(x) with x = (a, b) by channels, a the first ⌊D/2⌋. For at most four channels H(x) = (a, f(b; θ)).
/// Otherwise H(x) = (H′(a), f(H′(b); θ)), where H′ is the next level's map and θ = net(a, context) sees the
/// *input* half. A permutation P (reflections of the channels) acts at the outermost level only.
///
/// log|det J| = the sum over all couplings; H′'s counts twice if it is shared. Inverse: a = H′⁻¹(y_a), then
/// θ, then b = H′⁻¹(f⁻¹(y_b; θ)). Cost: the networks', a log₂ D levels deep.
///
/// Parameters: `net` of a level, and `inner` of the next level, which both halves share. With
/// `isShared: false` they are `first` and `second` instead. With a permutation: `rotation` as of
/// `Householder`. The networks' last layers start at zero by default.
///
/// Domain: all reals. Errors: those of the networks; `mismatch` for fewer than two channels. Shared halves
/// need 2, 3 or 4 channels times a power of two. With `isShared: false` halves may be uneven.
///
/// Kruse, Detommaso, Köthe & Scheichl 2021, *HINT*, arXiv 1905.10687, section 3 and algorithm 1.
public struct HINT: Bijection {
  /// The places of permutations, which are products of reflections.
  public enum Permutation: Sendable, Hashable {
    /// No permutation.
    case none
    /// A permutation of the second half before the couplings.
    case lower
    /// A permutation of all channels before the couplings.
    case full
    /// A permutation of all channels before the couplings, and its inverse after them.
    case both
  }

  private let network: any Network
  private let transformer: any Transformer
  private let permutation: Permutation
  private let isShared: Bool

  /// Makes a recursion of couplings with networks of one kind.
  public init(
    _ network: any Network, _ transformer: any Transformer = Affine(), permutation: Permutation = .none,
    isShared: Bool = true
  ) {
    (self.network, self.transformer) = (network, transformer)
    (self.permutation, self.isShared) = (permutation, isShared)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try site.expect(site.channels >= 2, "HINT", "channels", "at least 2")
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

  /// The next level on each half, and between them the coupling, which sees the first half's input.
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
