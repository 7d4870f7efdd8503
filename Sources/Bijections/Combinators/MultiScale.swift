import Networks
import Randomness
import Tensors

/// Runs levels one after the other and factors out half of the channels between them: the architecture of
/// RealNVP and Glow.
///
/// Map: hₖ = levelₖ(hₖ₋₁) with h₀ = x. After each level but the last, hₖ = (kept, out) is split by channels,
/// and the next level sees the first half, kept. The output is one vector: out₁, out₂, ..., and the last
/// level's outputs, each in row-major order.
///
/// With a conditioner the prior of the channels factored out is learned: out ↦ (out − t(kept)) ·
/// exp(−s(kept)). A standard normal prior of the output then means N(t(kept), exp(s(kept))²) for out. The
/// conditioner starts as the identity.
///
/// log|det J| = Σ of the levels' and the conditioners'. Inverse: the last level's first, each part put back.
/// Cost: theirs.
///
/// Parameters: `0`, `1`, ... of the levels, and `prior_0`, `prior_1`, ... of the conditioners, if there are
/// any.
///
/// The context reaches every level and conditioner. Domain: that of each level, at its inputs. Errors:
/// theirs; `mismatch` for one channel where two are to be split.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Real NVP*, arXiv 1605.08803, section 3.6; Kingma & Dhariwal 2018,
/// *Glow*, arXiv 1807.03039, section 3.4 (their code has the learned prior).
public struct MultiScale: ComposedBijection {
  /// The levels.
  public let levels: [any Bijection]
  /// The network that gives (t, s) for the channels factored out; nil: their prior is not learned.
  public let prior: (any Network)?

  /// Makes a flow of levels that factors out half of the channels after each level but the last.
  ///
  /// - Precondition: at least one level.
  public init(_ levels: [any Bijection], prior: (any Network)? = nil) {
    require(!levels.isEmpty, "MultiScale: at least one level")
    (self.levels, self.prior) = (levels, prior)
  }

  public var members: [any Bijection] { levels }

  public var composed: any Bijection { level(0) }

  /// Level i and all levels after it.
  ///
  /// Level i draws from child i of the key, and its prior from child −1 − i. An appended level therefore
  /// leaves the initial values of the others unchanged.
  private func level(_ i: Int) -> Lambda {
    let rest: any Bijection = i == levels.count - 1 ? Reshape.flat : rest(after: i)
    return Lambda { (key, site) throws(FlowError) in
      try site.chain("MultiScale", [(levels[i], key.folded(in: i), "\(i)"), (rest, key, nil)])
    }
  }

  /// The prior of the channels factored out after level i, and the levels for the channels kept.
  private func rest(after i: Int) -> Lambda {
    let next = level(i + 1)
    return Lambda { (key, site) throws(FlowError) in
      let (channels, kept) = (site.channels, site.channels / 2)
      try site.expect(kept > 0, "MultiScale", "a level with", "at least 2 channels")
      let split = Split.mask((0..<channels).map { $0 < kept })
      let prior = prior.map { Coupling($0, InverseTransformer(Affine(scale: .bounded(4))), split: split) }
      let parts = Lambda { (key, site) throws(FlowError) in
        try site.split(
          "MultiScale", [(Reshape.flat, key, nil, [kept..<channels]), (next, key, nil, [0..<kept])])
      }
      return try site.chain(
        "MultiScale", (prior.map { [($0, key.folded(in: -1 - i), "prior_\(i)")] } ?? []) + [(parts, key, nil)]
      )
    }
  }
}
