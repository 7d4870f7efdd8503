import Bijections
import Randomness
import Tensors

/// Weighted layers in a row before a prior: a model whose density is estimated by draws.
///
/// For data x, the layers draw latents z, and `logDensity` is log p(z) + Σ logWeight. The expectation of
/// its exponential is the density p(x), and its own expectation is a lower bound of log p(x), the evidence
/// lower bound. It is exact and independent of the key if all layers are bijections or surjections that
/// lose numbers on the way to the latents. `sample` draws x, with the same estimate along its path.
///
/// ```swift
/// let flow = WeightedFlow([Weighted(ActNorm()), AbsoluteSurjection(), Weighted(Log())], prior: Normal())
/// let (params, logDensity, sample) = try flow(Key(0), inputDim: 2)
/// let estimate = try logDensity(Key(1), params, x)
/// let (draws, theirEstimate) = try sample(Key(2), params, count: 100)
/// ```
///
/// Parameters: `layers`, with one child for each layer, and `prior`. Layer i draws its initial values from
/// `key.folded(in: 0).folded(in: i)`. Errors: those of the layers and the prior.
public struct WeightedFlow: Sendable {
  /// The layers, from data to latents.
  public let layers: [any WeightedLayer]
  /// The distribution of the latents.
  public let prior: any Distribution

  /// Makes a flow of weighted layers.
  public init(_ layers: [any WeightedLayer], prior: any Distribution = Normal()) {
    (self.layers, self.prior) = (layers, prior)
  }

  /// The estimate of a log-density, a pure function of a key, parameters, rows and a context.
  public typealias LogDensity =
    @Sendable (
      _ key: Key, _ params: Params, _ inputs: Tensor, _ context: Tensor?
    ) throws(FlowError) -> Tensor

  /// Makes the initial parameters, the estimate of log p(x) `[rows]`, and the sampler.
  ///
  /// The sampler's log-densities are estimates along the paths of the draws. An importance weight of a draw
  /// for another density f is f(x) over the exponential of its estimate.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, logDensity: Estimate, sample: Sampler) {
    var site = Site(inputDim: inputDim, contextDim: contextDim, dtype: dtype)
    try site.check(who: "WeightedFlow")
    let data = site
    var (children, forward, inverse): ([Params.Child], [WeightedMapping], [WeightedMapping]) = ([], [], [])
    for (i, layer) in layers.enumerated() {
      let member = try layer.initialize(key.folded(in: 0).folded(in: i), at: site)
      children.append(.init("\(i)", member.params))
      forward.append(member.forward)
      inverse.append(member.inverse)
      site.inputDim = member.forward.codomain.shape
    }
    let prior = try prior.initialize(key.folded(in: 1), at: site)
    let params: Params = ["layers": .branch(children), "prior": prior.params]
    let (there, back) = (forward, inverse)
    let boundary = data.boundary("WeightedFlow").expecting(params)
    let sampler = Sampler(boundary) { (key, params, count, context) throws(FlowError) in
      let drawn = try prior.sample.body(key.folded(in: 0), params.child("prior"), count, context)
      var (x, total) = (drawn.samples, drawn.logPDF)
      for i in back.indices.reversed() {
        let (next, logWeight) = try back[i].body(
          key.folded(in: 1).folded(in: i), params.child("layers").child(i), x, context)
        (x, total) = (next, total - logWeight)
      }
      return (x, total)
    }
    let estimate = Estimate(boundary: boundary) { (key, params, inputs, context) throws(FlowError) in
      var (x, total) = (inputs, Tensor.zeros([inputs.rows], dtype: inputs.dtype))
      for i in there.indices {
        let (next, logWeight) = try there[i].body(
          key.folded(in: i), params.child("layers").child(i), x, context)
        (x, total) = (next, total + logWeight)
      }
      return total + (try prior.logPDF.body(params.child("prior"), x, context))
    }
    return (params, estimate, sampler)
  }

  /// The estimate of the log-density of a ``WeightedFlow``. The call checks its arguments.
  public struct Estimate: Sendable {
    /// The checks of the arguments.
    public let boundary: Boundary
    /// The estimate without checks.
    public let body: LogDensity

    /// Estimates log p(inputs | context) in nats, `[rows]`. A key gives the same draws each time.
    public func callAsFunction(
      _ key: Key, _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
    ) throws(FlowError) -> Tensor {
      try boundary.checkShapes(params, inputs, given: context)
      return try body(key, params, inputs, context)
    }
  }
}
