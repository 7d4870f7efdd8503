import Networks
import Randomness
import Tensors

extension Summary: ContextTransform {
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView {
    let contextDim = try site.neededContext(who: "Conditioned")
    let (params, apply, outputDim) = try initialize(key, contextDim: contextDim, dtype: site.dtype)
    return ContextView("Conditioned", contextDim: outputDim, params: ("summary", params)) { apply($0, $1) }
  }
}

/// Normalizes the context with an activation normalization, as conditional Glow does.
///
/// Map: (context − bias) · exp(logScale), channel by channel. Parameters: `context`, as of `ActNorm`. With
/// `initContext` the base sees mean 0 and standard deviation 1 on that batch. Errors: `mismatch` without a
/// context.
///
/// NetworkConditionalGlow of InvertibleNetworks.jl, src/networks/invertible_network_conditional_glow.jl.
public struct NormalizedContext: ContextTransform {
  /// Makes a normalization of the context.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView {
    let contextDim = try site.neededContext(who: "NormalizedContext")
    let place = Site(inputDim: contextDim, initInputs: site.initContext, dtype: site.dtype)
    let norm = try ActNorm().initialize(key, at: place)
    return ContextView("NormalizedContext", contextDim: contextDim, params: ("context", norm.params)) {
      (params, context) throws(FlowError) in try norm.forward.body(params, context, nil).outputs
    }
  }
}

/// Squeezes an image context, for a level of a multi-scale flow whose samples are squeezed too.
///
/// A vector context, or none, passes as it is. No parameters. Errors: `mismatch` for an image context with
/// positions that cannot be halved so often.
public struct SqueezedContext: ContextTransform {
  private let times: Int
  private let pattern: SqueezePattern

  /// Squeezes image contexts a number of times by a pattern.
  public init(times: Int = 1, pattern: SqueezePattern = .checkerboard) {
    (self.times, self.pattern) = (times, pattern)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView {
    guard let contextDim = site.contextDim, contextDim.rank > 1 else {
      return ContextView("SqueezedContext", contextDim: site.contextDim) { $1 }
    }
    guard contextDim.sizes.dropLast().allSatisfy({ $0 % (1 << times) == 0 }) else {
      throw .mismatch(
        who: "SqueezedContext", what: "a context with", expected: "multiples of \(1 << times) positions",
        got: "\(contextDim)")
    }
    let small = (0..<times).reduce(contextDim) { shape, _ in SqueezePattern.halved(shape) }
    return ContextView("SqueezedContext", contextDim: small) { _, context in
      (0..<times).reduce(context) { x, _ in pattern.squeezed(x) }
    }
  }
}

/// Hides the context from the base, for flows with a conditional prior only, such as class-conditional Glow.
public struct NoContext: ContextTransform {
  /// Hides the context.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> ContextView {
    ContextView("NoContext", contextDim: nil) { _, _ in nil }
  }
}

extension Site {
  fileprivate func neededContext(who: String) throws(FlowError) -> Shape {
    guard let contextDim else {
      throw .mismatch(who: who, what: "contextDim", expected: "a shape", got: "none")
    }
    return contextDim
  }
}
