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
public struct MultiScale: Bijection {
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

  /// One level in both directions: what comes in, what goes on, and what goes out.
  private struct Level: Sendable {
    let forward: Mapping
    let inverse: Mapping
    /// The conditioner of what goes out, both ways; nil where nothing goes out or nothing tells about it.
    let prior: (forward: Mapping, inverse: Mapping)?
    /// The channels that go on.
    let kept: Int
    var shape: Shape { forward.codomain.shape }
    var out: Shape { shape.replacing(-1, by: shape[-1] - kept) }
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var (levels, children): ([Level], [Params.Child]) = ([], [])
    var priors: [Params.Child] = []
    var here = site
    here.initOutputs = nil
    for (i, bijection) in self.levels.enumerated() {
      let member = try bijection.initialize(key.folded(in: i), at: here)
      children.append(.init("\(i)", member.params))
      let shape = member.forward.codomain.shape
      if let data = here.initInputs {
        here.initInputs = try member.forward.body(member.params, data, here.initContext).outputs
      }
      here.inputDim = shape
      if i == self.levels.count - 1 {
        levels.append(Level(forward: member.forward, inverse: member.inverse, prior: nil, kept: shape[-1]))
        break
      }
      let kept = shape[-1] / 2
      if kept == 0 {
        throw .mismatch(
          who: "MultiScale", what: "a level with", expected: "at least 2 channels", got: "\(shape)")
      }
      let prior = try self.prior.map { (network) throws(FlowError) in
        try Coupling(
          network, InverseTransformer(Affine(scale: .bounded(4))),
          split: .mask((0..<shape[-1]).map { $0 < kept })
        )
        .initialize(key.folded(in: self.levels.count + i), at: here)
      }
      if let prior { priors.append(.init("prior_\(i)", prior.params)) }
      levels.append(
        Level(
          forward: member.forward, inverse: member.inverse, prior: prior.map { ($0.forward, $0.inverse) },
          kept: kept))
      here.initInputs = here.initInputs?.sliced(axis: -1, 0..<kept)
      here.inputDim = shape.replacing(-1, by: kept)
    }
    return (
      .branch(children + priors), MultiScale.forward(levels, at: site), MultiScale.inverse(levels, at: site)
    )
  }

  private static func mapping(
    _ members: [Mapping], at site: Site, from: Domain, to: Domain, body: @escaping Mapping.Body
  ) -> Mapping {
    let boundary = Boundary("MultiScale", domain: from, contextDim: site.contextDim, dtype: site.dtype)
    let couples: Mapping.Traits = members.contains { $0.traits.contains(.couplesRows) } ? .couplesRows : []
    let preserves: Mapping.Traits =
      members.allSatisfy { $0.traits.contains(.volumePreserving) } ? .volumePreserving : []
    return Mapping(boundary, to: to, traits: couples.union(preserves), body: body)
  }

  private static func forward(_ levels: [Level], at site: Site) -> Mapping {
    let members = levels.flatMap { [$0.forward] + ($0.prior.map { [$0.forward] } ?? []) }
    return mapping(members, at: site, from: levels[0].forward.domain, to: Domain([site.inputDim.count])) {
      (params, x, context) throws(FlowError) in
      var (h, parts, total) = (x, [Tensor](), Tensor.zeros([x.rows], dtype: x.dtype))
      for (i, level) in levels.enumerated() {
        var (y, logDet) = try level.forward.body(params.child(i), h, context)
        total = total + logDet
        if let prior = level.prior {
          (y, logDet) = try prior.forward.body(params.child("prior_\(i)"), y, context)
          total = total + logDet
        }
        let out = level.kept == level.shape[-1] ? y : y.sliced(axis: -1, level.kept..<level.shape[-1])
        parts.append(out.reshaped(to: [x.rows, out.shape.sample.count]))
        h = y.sliced(axis: -1, 0..<level.kept)
      }
      return (concatenate(parts, axis: 1), total)
    }
  }

  private static func inverse(_ levels: [Level], at site: Site) -> Mapping {
    let members = levels.flatMap { [$0.inverse] + ($0.prior.map { [$0.inverse] } ?? []) }
    return mapping(members, at: site, from: Domain([site.inputDim.count]), to: levels[0].forward.domain) {
      (params, z, context) throws(FlowError) in
      var (end, total) = (z.shape[1], Tensor.zeros([z.rows], dtype: z.dtype))
      var h: Tensor?
      for (i, level) in levels.enumerated().reversed() {
        let out = h == nil ? level.shape : level.out
        let part = z.sliced(axis: 1, end - out.count..<end).reshaped(to: out.batched(z.rows))
        end -= out.count
        var (y, logDet) = (h.map { concatenate([$0, part], axis: -1) } ?? part, total)
        if let prior = level.prior {
          (y, logDet) = try prior.inverse.body(params.child("prior_\(i)"), y, context)
          total = total + logDet
        }
        (y, logDet) = try level.inverse.body(params.child(i), y, context)
        (h, total) = (y, total + logDet)
      }
      guard let h else { fatalError("MultiScale has at least one level") }
      return (h, total)
    }
  }
}
