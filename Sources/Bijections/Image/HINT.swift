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

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    if site.channels < 2 {
      throw .mismatch(who: "HINT", what: "channels", expected: "at least 2", got: "\(site.inputDim)")
    }
    let (params, level) = try level(key.folded(in: 0), at: site)
    func step(_ isInverse: Bool) -> Mapping.Body {
      { params, x, context in level.run(params, x, context, isInverse) }
    }
    let traits = transformer.traits
    guard permutation != .none else {
      return site.layer("HINT", params, traits: traits, forward: step(false), inverse: step(true))
    }
    let (kept, kind) = (permutation == .lower ? site.channels / 2 : 0, permutation)
    var place = site
    place.inputDim = site.inputDim.replacing(-1, by: site.channels - kept)
    let rotation = try Householder(reflections: 3).initialize(key.folded(in: 1), at: place)
    @Sendable func turn(_ mapping: Mapping, _ params: Params, _ x: Tensor) throws(FlowError) -> Tensor {
      let moving = try mapping.body(params, x.sliced(axis: -1, kept..<x.shape[-1]), nil).outputs
      return kept == 0 ? moving : concatenate([x.sliced(axis: -1, 0..<kept), moving], axis: -1)
    }
    return site.layer("HINT", .branch(params.children + [.init("rotation", rotation.params)]), traits: traits)
    {
      (params, x, context) throws(FlowError) in
      let around = params.child("rotation")
      let (y, logDet) = try level.run(params, turn(rotation.forward, around, x), context, false)
      return (kind == .both ? try turn(rotation.inverse, around, y) : y, logDet)
    } inverse: { (params, y, context) throws(FlowError) in
      let around = params.child("rotation")
      let inside = kind == .both ? try turn(rotation.forward, around, y) : y
      let (x, logDet) = level.run(params, inside, context, true)
      return (try turn(rotation.inverse, around, x), logDet)
    }
  }

  private func level(_ key: Key, at site: Site) throws(FlowError) -> (params: Params, level: HINTLevel) {
    let (channels, cut) = (site.channels, site.channels / 2)
    let (netParams, net) = try site.conditioner(
      network, key.folded(in: 0), inputs: cut, outputs: transformer.parameterCount * (channels - cut))
    func next(_ key: Key, _ count: Int) throws(FlowError) -> (params: Params, level: HINTLevel) {
      var place = site
      place.inputDim = site.inputDim.replacing(-1, by: count)
      return try level(key, at: place)
    }
    if channels <= 4 {
      return (["net": netParams], HINTLevel(cut: cut, net: net, transformer: transformer, inner: nil))
    }
    if !isShared {
      let (a, b) = (try next(key.folded(in: 1), cut), try next(key.folded(in: 2), channels - cut))
      return (
        ["net": netParams, "first": a.params, "second": b.params],
        HINTLevel(cut: cut, net: net, transformer: transformer, inner: [a.level, b.level])
      )
    }
    if channels % 2 != 0 {
      throw .mismatch(
        who: "HINT", what: "channels", expected: "2, 3 or 4 times a power of two, or isShared: false",
        got: "\(channels) on the way down")
    }
    let inner = try next(key.folded(in: 1), cut)
    return (
      ["net": netParams, "inner": inner.params],
      HINTLevel(cut: cut, net: net, transformer: transformer, inner: [inner.level])
    )
  }
}

/// One level of the recursion.
private struct HINTLevel: Sendable {
  let cut: Int
  let net: @Sendable (Params, Tensor, Tensor?) -> Tensor
  let transformer: any Transformer
  /// Nothing at the leaves; one level for both halves, or one for each.
  let inner: [HINTLevel]?

  func run(_ params: Params, _ x: Tensor, _ context: Tensor?, _ isInverse: Bool) -> (
    outputs: Tensor, logDet: Tensor
  ) {
    let (a, b) = (x.sliced(axis: -1, 0..<cut), x.sliced(axis: -1, cut..<x.shape[-1]))
    guard let inner else {
      let raw = net(params.child("net"), a, context)
      let (y, logDet) = isInverse ? transformer.inverse(b, raw) : transformer.forward(b, raw)
      return (concatenate(a, y, axis: -1), logDet)
    }
    func half(_ i: Int, _ x: Tensor) -> (outputs: Tensor, logDet: Tensor) {
      let position = inner.count == 1 ? 0 : i
      return inner[position].run(params.child(position + 1), x, context, isInverse)
    }
    let (ya, logDetA) = half(0, a)
    if isInverse {
      let (t, logDet) = transformer.inverse(b, net(params.child("net"), ya, context))
      let (yb, logDetB) = half(1, t)
      return (concatenate(ya, yb, axis: -1), logDetA + logDetB + logDet)
    }
    let (t, logDetB) = half(1, b)
    let (yb, logDet) = transformer.forward(t, net(params.child("net"), a, context))
    return (concatenate(ya, yb, axis: -1), logDetA + logDetB + logDet)
  }
}
