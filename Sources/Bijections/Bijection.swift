import Randomness
import Tensors

/// An invertible, differentiable layer: a pure value that a key and a place turn into parameters and two pure functions.
///
/// - `forward` takes data towards the latent space, `inverse` takes latents back to data.
/// - Both return their outputs and log|det J| of the direction they go, one number a row.
/// - Axis 0 is the batch. All that the layer needs to be itself is in `params`, what is not learned as frozen leaves.
/// - A layer never keeps a key: its children get `key.folded(in: 0)`, `key.folded(in: 1)`, ...
public protocol Bijection: Sendable {
  /// Initial parameters and the two directions, for samples as described by `site`.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> (
    params: Params, forward: Mapping, inverse: Mapping
  )

  /// The bijections that this one is made of, for summaries; none for a layer.
  var members: [any Bijection] { get }
}

/// A bijection at its place: its initial parameters and its two directions.
public typealias Initialized = (params: Params, forward: Mapping, inverse: Mapping)

extension Bijection {
  public var members: [any Bijection] { [] }
}

extension Bijection {
  /// Initial parameters and the two directions.
  ///
  /// - Parameters:
  ///   - key: what the initial values are drawn from; the same key gives the same bits.
  ///   - inputDim: one sample's shape: `5`, `[32, 32, 3]`.
  ///   - contextDim: one context sample's shape, if the mapping is conditional.
  ///   - initInputs: a batch of data for layers with a data-dependent start.
  ///   - initContext: the context of those rows.
  ///   - dtype: of parameters and data. Initial values are drawn in float32 and converted.
  /// - Throws: `FlowError` for an empty shape, or initial inputs that do not fit or are not finite.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil,
    dtype: DType = .float32
  ) throws(FlowError) -> Initialized {
    let site = Site(
      inputDim: inputDim, contextDim: contextDim, initInputs: initInputs, initContext: initContext,
      dtype: dtype)
    try site.check(who: "\(Self.self)")
    let (params, forward, inverse) = try initialize(key, at: site)
    return (params, forward.expecting(params), inverse.expecting(params))
  }
}

/// A bijection that is another one, built from its own settings.
public protocol ComposedBijection: Bijection {
  /// The bijection that runs.
  var composed: any Bijection { get }
}

extension ComposedBijection {
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    try composed.initialize(key, at: site)
  }
  public var members: [any Bijection] { composed.members }
}
