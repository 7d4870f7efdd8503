import Networks
import Randomness
import Tensors

/// Levels one after the other, between which a part of the channels is factored out: RealNVP's and Glow's architecture.
///
/// Map: hₖ = levelₖ(hₖ₋₁) with h₀ = x; but for the last level, hₖ = (kept, out) is split by channels, the first half being
/// kept and going on. The outcome is one vector: out₁, out₂, ..., and the last level's outputs, each in row-major order.
///
/// A conditioner for the parts that go out makes their prior a learned one: out ↦ (out − t(kept)) · exp(−s(kept)), so that a
/// standard normal prior of the outcome is N(t(kept), exp(s(kept))²) of the part. It starts as the identity.
///
/// log|det J| = Σ of the levels' and the conditioners'. Inverse: the last level's first, each part put back. Cost: theirs.
///
/// Parameters: `0`, `1`, ... of the levels, and `prior_0`, `prior_1`, ... of the conditioners, if there are any.
///
/// The context reaches every level and conditioner. Domain: the first level's. Errors: theirs; `mismatch` for one channel
/// where two are to be split.
///
/// Dinh, Sohl-Dickstein & Bengio 2016, *Real NVP*, arXiv 1605.08803, section 3.6; Kingma & Dhariwal 2018, *Glow*, arXiv
/// 1807.03039, section 3.4 (their code has the learned prior).
public struct MultiScale: ComposedBijection {
  /// The levels.
  public let levels: [any Bijection]
  /// The conditioner of the parts that go out, of (t, s).
  public let prior: (any Network)?

  /// Levels with a part of the channels factored out between them.
  ///
  /// - Precondition: at least one level.
  public init(_ levels: [any Bijection], prior: (any Network)? = nil) {
    require(!levels.isEmpty, "MultiScale: at least one level")
    self.levels = levels
    self.prior = prior
  }

  public var members: [any Bijection] { levels }

  public var composed: any Bijection { level(0) }

  /// Level i and all behind it. Level i draws from child i of the key, the prior behind it from child −1 − i: appending a
  /// level leaves the others' initial values alone.
  private func level(_ i: Int) -> Lambda {
    let rest: any Bijection = i == levels.count - 1 ? Reshape.flat : rest(after: i)
    return Lambda { (key, site) throws(FlowError) in
      try site.chain(
        "MultiScale", [(levels[i], key.folded(in: i), "\(i)"), (rest, key, nil)])
    }
  }

  /// The prior of the channels that go out behind level i, and the levels for those that are kept.
  private func rest(after i: Int) -> Lambda {
    let next = level(i + 1)
    return Lambda { (key, site) throws(FlowError) in
      let (channels, kept) = (site.channels, site.channels / 2)
      if kept == 0 {
        throw .mismatch(
          who: "MultiScale", what: "a level with", expected: "at least 2 channels", got: "\(site.inputDim)")
      }
      let split = Split.mask((0..<channels).map { $0 < kept })
      let prior = prior.map { Coupling($0, InverseTransformer(Affine(scale: .bounded(4))), split: split) }
      let parts = Lambda { (key, site) throws(FlowError) in
        try site.split(
          "MultiScale",
          [
            (Reshape.flat, key, nil, [kept..<channels]),
            (next, key, nil, [0..<kept]),
          ])
      }
      return try site.chain(
        "MultiScale",
        (prior.map { [($0, key.folded(in: -1 - i), "prior_\(i)")] } ?? [])
          + [(parts, key, nil)])
    }
  }
}
