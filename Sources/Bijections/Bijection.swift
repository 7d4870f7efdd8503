import Randomness
import Tensors

/// An invertible, differentiable layer. A key and the shape of its input turn it into initial parameters and
/// two pure functions.
///
/// - `forward` maps data to the latent space, and `inverse` maps latents back to data.
/// - Both return their outputs and log|det J| of their own direction, one number per row.
/// - Axis 0 is the batch. The parameters hold the layer's whole state, with constants as frozen leaves.
/// - A layer never stores a key. Its children draw from `key.folded(in: 0)`, `key.folded(in: 1)`, ...
public protocol Bijection: Sendable {
  /// Makes the initial parameters and the two directions for samples as described by `site`.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> (
    params: Params, forward: Mapping, inverse: Mapping
  )

  /// The bijections inside this one, for summaries. A layer has none.
  var members: [any Bijection] { get }
}

/// The initial parameters of a bijection, and its two directions.
public typealias Initialized = (params: Params, forward: Mapping, inverse: Mapping)

extension Bijection {
  public var members: [any Bijection] { [] }

  /// Makes the initial parameters and the two directions.
  ///
  /// - Parameters:
  ///   - key: the source of the initial values; the same key gives the same bits.
  ///   - inputDim: one sample's shape: `5`, `[32, 32, 3]`.
  ///   - contextDim: one context sample's shape, if the mapping is conditional.
  ///   - initInputs: a batch of data for layers with a data-dependent start.
  ///   - initContext: the context of those rows.
  ///   - dtype: of parameters and data. Initial values are drawn in float32 and converted.
  /// - Throws: `FlowError` for an empty shape, or initial inputs that do not fit, are not finite or lie
  ///   outside the domain of a layer.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil, dtype: DType = .float32
  ) throws(FlowError) -> Initialized {
    let site = Site(
      inputDim: inputDim, contextDim: contextDim, initInputs: initInputs, initContext: initContext,
      dtype: dtype)
    try site.check(who: "\(Self.self)")
    let (params, forward, inverse) = try bound(key, at: site)
    if let initInputs, forward.isBounded { _ = try forward(params, initInputs, given: initContext) }
    return (params, forward, inverse)
  }

  /// Initializes at a place, with mappings that know the structure of their parameters.
  package func bound(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (params, forward, inverse) = try initialize(key, at: site)
    return (params, forward.expecting(params), inverse.expecting(params))
  }
}

/// A bijection that is made of others and runs as their composition.
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
