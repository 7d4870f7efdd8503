@_exported import Bijections

/// A distribution: a pure value that a key and a place turn into parameters, a log-density and a sampler.
public protocol Distribution: Sendable {
  /// Initial parameters, log-density and sampler, for samples as described by `site`.
  func initialize(
    _ key: Key, at site: Site
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler)
}

extension Distribution {
  /// Initial parameters, log-density and sampler.
  ///
  /// - Parameters:
  ///   - key: what the initial values are drawn from; the same key gives the same bits.
  ///   - inputDim: one sample's shape.
  ///   - contextDim: one context sample's shape, if the distribution is conditional.
  ///   - initInputs: a batch of data for layers with a data-dependent start.
  ///   - initContext: the context of those rows.
  ///   - dtype: of parameters and data. Initial values are drawn in float32 and converted.
  /// - Throws: `FlowError` for an empty shape, or initial inputs that do not fit or are not finite.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil,
    dtype: DType = .float32
  ) throws(FlowError) -> (params: Params, logPDF: LogPDF, sample: Sampler) {
    let site = Site(
      inputDim: inputDim, contextDim: contextDim, initInputs: initInputs, initContext: initContext,
      dtype: dtype)
    try site.check(who: "\(Self.self)")
    let (params, logPDF, sample) = try initialize(key, at: site)
    return (params, logPDF.expecting(params), sample.expecting(params))
  }
}

/// The logarithm of a density: a pure function of parameters, a batch and a context. Calling it checks its arguments.
public struct LogPDF: Sendable {
  /// The mathematics: the log-density in nats, a row.
  public typealias Body =
    @Sendable (_ params: Params, _ inputs: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// What is checked before `body` runs.
  public private(set) var boundary: Boundary
  /// `.couplesRows` where a row's log-density depends on the other rows: such a batch must not be sharded.
  public let traits: Mapping.Traits
  /// What a training step's batch moves among the frozen leaves, unchecked; nil where there are no such statistics.
  public let statistics: Mapping.Statistics?
  /// The unchecked mathematics.
  public let body: Body

  /// A log-density.
  public init(
    _ boundary: Boundary, traits: Mapping.Traits = [], statistics: Mapping.Statistics? = nil,
    body: @escaping Body
  ) {
    self.boundary = boundary
    self.traits = traits
    self.statistics = statistics
    self.body = body
  }

  /// log p(inputs | context) in nats, `[batch]`; −∞ outside the support.
  ///
  /// A row's result has the same bits in any batch; NaN stays in its row. Many rows are evaluated in pieces, on all
  /// cores. Throws `FlowError` for a parameter tree of
  /// another structure, a wrong shape or dtype, a missing or unexpected context, or a value outside the domain.
  public func callAsFunction(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    try boundary.check(params, inputs, given: context)
    if traits.contains(.couplesRows) { return try body(params, inputs, context) }
    return try mapRows(inputs.rows, of: inputs.shape.sample) { (rows) throws(FlowError) in
      [try body(params, inputs[rows], context?[rows])]
    }[0]
  }

  /// The parameters with the statistics that training keeps (batch normalization's running mean) moved by a batch; the
  /// same tree for a distribution without any, and for no rows. Throws as the call does.
  public func updatingStatistics(
    _ params: Params, _ batch: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Params {
    try boundary.check(params, batch, given: context)
    guard let statistics, batch.rows > 0 else { return params }
    return try statistics(params, batch, context)
  }

  func expecting(_ params: Params) -> LogPDF {
    LogPDF(boundary.expecting(params), traits: traits, statistics: statistics, body: body)
  }
}

/// Draws from a distribution: a pure function of a key, parameters, a count and a context. Calling it checks its arguments.
public struct Sampler: Sendable {
  /// The mathematics: `count` draws and their log-density.
  public typealias Body =
    @Sendable (
      _ key: Key, _ params: Params, _ count: Int, _ context: Tensor?
    ) throws(FlowError) -> (samples: Tensor, logPDF: Tensor)

  /// What is checked before `body` runs; its domain describes the draws.
  public private(set) var boundary: Boundary
  /// The unchecked mathematics.
  public let body: Body
  /// The mathematics at another temperature than 1; nil where there is no such thing.
  public let tempered: (@Sendable (_ temperature: Double) -> Body)?

  /// A sampler.
  public init(
    _ boundary: Boundary, tempered: (@Sendable (_ temperature: Double) -> Body)? = nil, body: @escaping Body
  ) {
    self.boundary = boundary
    self.tempered = tempered
    self.body = body
  }

  /// Draws, `[count] + inputDim`. The first draws do not depend on how many are asked for.
  ///
  /// - Parameters:
  ///   - context: one row a draw, or one row for all.
  /// - Precondition: `count` is not negative.
  public func callAsFunction(
    _ key: Key, _ params: Params, count: Int, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    try withLogPDF(key, params, count: count, given: context).samples
  }

  /// Draws and their log-density, in one pass.
  ///
  /// - Precondition: `count` is not negative.
  public func withLogPDF(
    _ key: Key, _ params: Params, count: Int, given context: Tensor? = nil
  ) throws(FlowError) -> (samples: Tensor, logPDF: Tensor) {
    require(count >= 0, "a count of samples is not negative, got \(count)")
    let context =
      if let context, context.rank > 0, context.rows == 1 {
        context.broadcast(to: context.shape.replacing(0, by: count))
      } else {
        context
      }
    try boundary.check(params)
    try boundary.check(context, rows: count)
    return try body(key, params, count, context)
  }

  /// Draws with the deviations of the latent numbers multiplied by a temperature: below 1 closer to what is most likely.
  ///
  /// Throws `FlowError.mismatch` where the latent distribution has no temperature: normal and other location-scale families
  /// and `ConditionalNormal` have one.
  ///
  /// - Precondition: `count` is not negative and the temperature is positive.
  public func callAsFunction(
    _ key: Key, _ params: Params, count: Int, temperature: Double, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    require(temperature > 0, "a temperature is positive, got \(temperature)")
    guard let tempered else {
      throw .mismatch(
        who: boundary.name, what: "a latent distribution", expected: "with a temperature", got: "one without")
    }
    return try Sampler(boundary, body: tempered(temperature))(key, params, count: count, given: context)
  }

  func expecting(_ params: Params) -> Sampler {
    Sampler(boundary.expecting(params), tempered: tempered, body: body)
  }
}
