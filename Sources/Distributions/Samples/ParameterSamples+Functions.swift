import Bijections
import Randomness
import Tensors

extension ParameterSamples {
  /// The predictive distribution: the mixture of the members' distributions by weight.
  ///
  /// Its parameters are `params`. Its functions go wherever those of a model go: pieces of many rows,
  /// importance weights, calibration ranks.
  ///
  /// - Parameters:
  ///   - logPDF: the log-density that takes a member's parameters.
  ///   - sample: the sampler that takes them.
  /// - Throws: `FlowError.structure` for members of another architecture.
  public func predictive(_ logPDF: LogPDF, _ sample: Sampler) throws(FlowError) -> InitializedDistribution {
    let (density, params) = (try predictive(logPDF), params(logPDF.boundary.dtype))
    let sampler = mixture(of: members.map { _ in sample }, density)
    return (params, density.expecting(params), sampler.expecting(params))
  }

  /// The predictive log-density log Σ w p(x), which takes `params`.
  fileprivate func predictive(_ logPDF: LogPDF) throws(FlowError) -> LogPDF {
    let boundary = logPDF.boundary
    for member in members { try boundary.check(member) }
    let site = Site(
      inputDim: boundary.domain.shape, contextDim: boundary.contextDim, initInputs: nil, initContext: nil,
      dtype: boundary.dtype)
    return LogPDF(mixture(of: members.map { _ in logPDF.mapping }, at: site))
  }
}

extension LogPDF {
  /// Computes the predictive log-density log Σ w p(inputs | context) over a set of parameters, `[batch]`.
  ///
  /// Densities are averaged, not their logarithms. It costs one evaluation per member.
  ///
  /// - Throws: `FlowError` as the call with parameters does.
  public func callAsFunction(
    _ samples: ParameterSamples, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    try samples.predictive(self)(samples.params(boundary.dtype), inputs, given: context)
  }
}

extension Sampler {
  /// Draws from the predictive distribution of a set of parameters: a member by weight for each draw, then
  /// the member's own draw.
  ///
  /// - Parameter context: one row per draw, or one row for all draws.
  /// - Throws: `FlowError` as the call with parameters does.
  /// - Precondition: `count` is not negative.
  public func callAsFunction(
    _ key: Key, _ samples: ParameterSamples, count: Int, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    for member in samples.members { try boundary.check(member) }
    let bodies = samples.members.map { _ in body }
    let draws = Sampler(
      Boundary(
        boundary.name, domain: boundary.domain, contextDim: boundary.contextDim, dtype: boundary.dtype
      )
    ) { (key, params, count, context) throws(FlowError) in
      let x = try mixedDraws(of: bodies, key, params, count, context)
      return (x, .zeros([count], dtype: x.dtype))
    }
    return try draws(key, samples.params(boundary.dtype), count: count, given: context)
  }
}
