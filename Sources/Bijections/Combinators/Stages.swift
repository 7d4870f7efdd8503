import Randomness
import Tensors

/// Runs one bijection several times with the same parameters, and tells it the stage by its context: a flow
/// whose stages share one network.
///
/// ```swift
/// let spline = RationalQuadraticSpline(bins: 8, bound: 3)
/// Stages(8, sharing: Coupling(MLP(hidden: [128, 128]), spline), after: [InvertibleLinear()])
/// ```
///
/// Map: hₖ = f(gₖ(hₖ₋₁); φ, (context, eₖ)) for k = 1 … K, with h₀ = x and y = h_K. The shared bijection is f,
/// and φ are its parameters. The stage's own bijections, which should mix the features, make up gₖ. The unit
/// vector eₖ, with 1 at k of K, is appended to the last axis of the context. Without a context it is the
/// context.
///
/// log|det J| = Σ of those of all gₖ and of f at every stage. Inverse: the stages' inverses, last to first.
/// Cost: K times f and its own bijections. The gradient of φ is the sum over the stages.
///
/// Parameters: `shared` (φ), and `0`, `1`, ... of the stages' own bijections, if there are any. Each stage
/// draws its own initial values. Data for initial parameters start φ at the stage that they reach first.
///
/// Domain: those of f and gₖ. Errors: theirs; `mismatch` if a stage but the last changes the sample's shape.
///
/// Lee, Kim, Jeong & Ro 2022, *Differentially private normalizing flows for synthetic tabular data
/// generation*, AAAI 36(7), pages 7345-7353, share the network of a spline flow so.
public struct Stages: Bijection {
  /// The number of stages.
  public let count: Int
  /// The bijection that all stages share.
  public let shared: any Bijection
  /// The bijections of each stage before the shared one, with parameters of their own.
  public let own: [any Bijection]

  /// Makes stages of a shared bijection, each after bijections of its own.
  ///
  /// - Precondition: `count` is not negative.
  public init(_ count: Int, sharing shared: any Bijection, after own: [any Bijection] = []) {
    require(count >= 0, "Stages: a number of stages, got \(count)")
    (self.count, self.shared, self.own) = (count, shared, own)
  }

  public var members: [any Bijection] { own + [shared] }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var links: [Site.Member] = []
    for k in 0..<count {
      let told = ToldStage(k, of: count, shared)
      if own.isEmpty {
        links.append((keeping(site.inputDim, told), key.folded(in: 0), "shared"))
      } else {
        links.append((keeping(site.inputDim, Serial(own)), key.folded(in: k + 1), "\(k)"))
        links.append((told, key.folded(in: 0), "shared"))
      }
    }
    return try site.chain("Stages", links)
  }

  /// The first bijection of a stage. It refuses samples of another shape than those of the first stage.
  private func keeping(_ shape: Shape, _ bijection: any Bijection) -> Lambda {
    Lambda { (key, site) throws(FlowError) in
      try site.expect(site.inputDim == shape, "Stages", "a stage that keeps the shape", "\(shape)")
      return try bijection.initialize(key, at: site)
    }
  }
}

/// A bijection that sees the number of its stage behind its context.
private struct ToldStage: Bijection {
  let (stage, count): (Int, Int)
  let bijection: any Bijection

  init(_ stage: Int, of count: Int, _ bijection: any Bijection) {
    (self.stage, self.count, self.bijection) = (stage, count, bijection)
  }

  func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let code = Tensor((0..<count).map { $0 == stage ? 1 : 0 }, shape: [count], dtype: site.dtype)
    let change: Mapping.ContextChange = { _, context, rows in
      guard let context else { return code.broadcast(to: [rows, code.count]) }
      return concatenate(
        context, code.broadcast(to: context.shape.replacing(-1, by: code.count)), axis: -1)
    }
    var inside = site
    inside.contextDim = site.contextDim.map { $0.replacing(-1, by: $0[-1] + count) } ?? [count]
    if let rows = (site.initInputs ?? site.initOutputs)?.rows {
      inside.initContext = try change(.empty, site.initContext, rows)
    }
    let (params, forward, inverse) = try bijection.bound(key, at: inside)
    func told(_ mapping: Mapping) -> Mapping {
      mapping.seeing("Stages(\(mapping.name))", at: Address(nil), in: site, change)
    }
    return (params, told(forward), told(inverse))
  }
}
