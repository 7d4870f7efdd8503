import Randomness
import Tensors

/// A bijection that sees an image context squeezed: what a level of a multi-scale flow needs beside a squeezed sample.
///
/// Map, log|det J|, inverse, parameters and errors: those of the bijection. A vector context, or none, passes as it is.
///
/// Errors: also `mismatch` for an image context with positions that cannot be halved so often.
public struct ContextSqueezed: Bijection {
  /// What sees the squeezed context.
  public let bijection: any Bijection
  /// How often the context is squeezed.
  public let times: Int
  /// Which positions meet in one.
  public let pattern: SqueezePattern

  /// A bijection, and how often its context is squeezed.
  public init(_ bijection: any Bijection, times: Int = 1, pattern: SqueezePattern = .checkerboard) {
    self.bijection = bijection
    self.times = times
    self.pattern = pattern
  }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard let contextDim = site.contextDim, contextDim.rank > 1 else {
      return try bijection.initialize(key, at: site)
    }
    let axes = contextDim.rank - 1
    guard contextDim.sizes.dropLast().allSatisfy({ $0 % (1 << times) == 0 }) else {
      throw .mismatch(
        who: "ContextSqueezed", what: "a context with", expected: "multiples of \(1 << times) positions",
        got: "\(contextDim)")
    }
    @Sendable func squeezed(_ context: Tensor) -> Tensor {
      (0..<times).reduce(context) { x, _ in pattern.squeezed(x) }
    }
    var inner = site
    inner.contextDim = Shape(
      contextDim.sizes.dropLast().map { $0 >> times } + [contextDim[-1] << (axes * times)])
    inner.initContext = site.initContext.map(squeezed)
    let (params, forward, inverse) = try bijection.initialize(key, at: inner)
    func seeing(_ mapping: Mapping) -> Mapping {
      mapping.seeing(contextDim, as: "ContextSqueezed(\(mapping.name))") { squeezed($0) }
    }
    return (params, seeing(forward), seeing(inverse))
  }
}

/// A bijection that does not see the context: where only the prior is to be conditional, as in class-conditional Glow.
///
/// Map, log|det J|, inverse, parameters and errors: those of the bijection.
public struct WithoutContext: Bijection {
  /// What sees no context.
  public let bijection: any Bijection

  /// A bijection without the context around it.
  public init(_ bijection: any Bijection) { self.bijection = bijection }

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    var inner = site
    (inner.contextDim, inner.initContext) = (nil, nil)
    let (params, forward, inverse) = try bijection.initialize(key, at: inner)
    func blind(_ mapping: Mapping) -> Mapping {
      mapping.seeing(site.contextDim, as: mapping.name) { _ in nil }
    }
    return (params, blind(forward), blind(inverse))
  }
}

extension Mapping {
  /// The same mapping behind a change of the context.
  fileprivate func seeing(
    _ contextDim: Shape?, as name: String, _ change: @escaping @Sendable (Tensor) -> Tensor?
  ) -> Mapping {
    let boundary = Boundary(name, domain: domain, contextDim: contextDim, dtype: boundary.dtype)
    var moved: Statistics?
    if let statistics {
      moved = { (params, x, context) throws(FlowError) in try statistics(params, x, context.flatMap(change)) }
    }
    return Mapping(boundary, to: codomain, traits: traits, statistics: moved) {
      (params, x, context) throws(FlowError) in
      try body(params, x, context.flatMap(change))
    }
  }
}
