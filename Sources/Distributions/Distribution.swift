import Bijections
import Randomness
import Tensors

/// An initialized distribution: its initial parameters, its log-density and its sampler.
public typealias InitializedDistribution = (params: Params, logPDF: LogPDF, sample: Sampler)

/// A distribution: a pure value that makes parameters, a log-density and a sampler from a key and a shape.
public protocol Distribution: Sendable {
  /// Makes initial parameters, the log-density and the sampler for the shapes and the dtype of `site`.
  func initialize(_ key: Key, at site: Site) throws(FlowError) -> InitializedDistribution
}

extension Distribution {
  /// Makes initial parameters, the log-density and the sampler.
  ///
  /// - Parameters:
  ///   - key: The key of the initial values. The same key gives the same bits.
  ///   - inputDim: The shape of a sample.
  ///   - contextDim: The shape of a context sample, for a conditional distribution.
  ///   - initInputs: A batch of data for layers with data-dependent initialization.
  ///   - initContext: The context of that batch.
  ///   - dtype: The dtype of parameters and data. Initial values are drawn in float32 and converted.
  /// - Throws: `FlowError` for an empty shape, or initial inputs of a wrong shape or not finite.
  public func callAsFunction(
    _ key: Key, inputDim: Shape, contextDim: Shape? = nil, initInputs: Tensor? = nil,
    initContext: Tensor? = nil, dtype: DType = .float32
  ) throws(FlowError) -> InitializedDistribution {
    let site = Site(
      inputDim: inputDim, contextDim: contextDim, initInputs: initInputs, initContext: initContext,
      dtype: dtype)
    try site.check(who: "\(Self.self)")
    let (params, logPDF, sample) = try initialize(key, at: site)
    return (params, logPDF.expecting(params), sample.expecting(params))
  }
}

/// The logarithm of a density, a pure function of parameters, a batch and a context. The call checks its
/// arguments.
///
/// It is a mapping without outputs, and its log-det is the log-density. So densities compose as mappings do.
public struct LogPDF: Sendable {
  /// The unchecked function, which returns the log-density in nats, one number per row.
  public typealias Body =
    @Sendable (_ params: Params, _ inputs: Tensor, _ context: Tensor?) throws(FlowError) -> Tensor

  /// The density as a mapping.
  package let mapping: Mapping
  /// The function without checks.
  public let body: Body

  /// Makes a log-density from its parts.
  ///
  /// - Parameters:
  ///   - boundary: The checks of the arguments.
  ///   - traits: `.couplesRows` if a row's log-density depends on other rows, so that a batch must not be
  ///     sharded.
  ///   - statistics: The function that updates the frozen leaves from a batch, or nil.
  ///   - body: The function without checks.
  public init(
    _ boundary: Boundary, traits: Mapping.Traits = [], statistics: Mapping.Statistics? = nil,
    body: @escaping Body
  ) {
    let density = Mapping(boundary, to: Domain([0]), traits: traits, statistics: statistics) {
      (params, x, context) throws(FlowError) in
      (.zeros([x.rows, 0], dtype: x.dtype), try body(params, x, context))
    }
    self.init(density.forAllRows)
  }

  /// Makes a log-density from a mapping without outputs.
  package init(_ mapping: Mapping) {
    self.mapping = mapping
    let body = mapping.body
    self.body = { (params, x, context) throws(FlowError) in try body(params, x, context).logDet }
  }

  /// The checks of the arguments.
  public var boundary: Boundary { mapping.boundary }
  /// The traits: `.couplesRows` if a row's log-density depends on other rows.
  public var traits: Mapping.Traits { mapping.traits }
  /// The unchecked function that updates the frozen leaves from a batch, or nil.
  public var statistics: Mapping.Statistics? { mapping.statistics }

  /// Computes log p(inputs | context) in nats, `[batch]`, which is −∞ outside the support.
  ///
  /// A row's result has the same bits in any batch, and a NaN stays in its row. Many rows are evaluated in
  /// shards on all cores.
  ///
  /// - Throws: `FlowError` for a parameter tree of another structure, a wrong shape or dtype, or a missing or
  ///   unexpected context. `checkSupport` throws for rows outside the support.
  public func callAsFunction(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    try boundary.checkShapes(params, inputs, given: context)
    return try mapping.unchecked(params, inputs, context).logDet
  }

  /// Throws `FlowError.outsideDomain` for the first row whose density is 0, and as the call does.
  public func checkSupport(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) {
    guard let row = try checkLayers(params, inputs, given: context) else { return }
    throw .outsideDomain(
      who: mapping.name, expected: "of a log-density above -inf", got: -.infinity, row: row)
  }

  /// Throws `FlowError.outsideDomain` if a layer excludes the first row whose density is 0. Returns that row
  /// otherwise.
  @discardableResult
  package func checkLayers(
    _ params: Params, _ inputs: Tensor, given context: Tensor?
  ) throws(FlowError) -> Int? {
    guard let row = try self(params, inputs, given: context).doubles.firstIndex(of: -.infinity) else {
      return nil
    }
    if traits.contains(.couplesRows) {
      try mapping.checkLayers(params, inputs, context)
      return row
    }
    do {
      try mapping.checkLayers(params, inputs.rows([row]), context?.rows([row]))
    } catch .outsideDomain(let who, let expected, let got, _) {
      throw .outsideDomain(who: who, expected: expected, got: got, row: row)
    }
    return row
  }

  /// Computes the latents of a flow's samples, `[batch]` + latent, as its bijection gives them to its prior.
  ///
  /// - Throws: `FlowError.mismatch` for a distribution without a bijection, and `outsideDomain` for rows
  ///   outside the domain of a layer. Otherwise as the call does.
  public func latents(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    try boundary.checkShapes(params, inputs, given: context)
    guard let latents = try mapping.valuesBeforeTheLast(params, inputs, context) else {
      throw .mismatch(
        who: boundary.name, what: "a flow", expected: "whose bijection gives latents", got: "no flow")
    }
    return latents
  }

  /// Updates the running statistics in the parameters, such as those of batch normalization, from a batch.
  ///
  /// The tree is unchanged for a distribution without statistics and for a batch without rows.
  ///
  /// - Throws: `FlowError` as the call does.
  public func updatingStatistics(
    _ params: Params, _ batch: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Params {
    try mapping.updatingStatistics(params, batch, given: context)
  }

  func expecting(_ params: Params) -> LogPDF { LogPDF(mapping.expecting(params)) }
}

/// A sampler: a pure function of a key, parameters, a count and a context. The call checks its arguments.
public struct Sampler: Sendable {
  /// The unchecked function, which returns `count` draws and their log-densities.
  public typealias Body =
    @Sendable (
      _ key: Key, _ params: Params, _ count: Int, _ context: Tensor?
    ) throws(FlowError) -> (samples: Tensor, logPDF: Tensor)

  /// The checks of the arguments. Its domain describes the draws.
  public private(set) var boundary: Boundary
  /// The function without checks.
  public let body: Body
  /// The unchecked function at a temperature; nil for distributions without a temperature.
  public let tempered: (@Sendable (_ temperature: Double) -> Body)?
  /// The unchecked function for draws alone, if these cost much less than with log-densities.
  var samplesAlone:
    (
      @Sendable (
        _ key: Key, _ params: Params, _ count: Int, _ context: Tensor?
      ) throws(FlowError) -> Tensor
    )?

  /// The unchecked function for several rows of context, each with its own key; nil for one call per row.
  var byKeys:
    (
      @Sendable (
        _ keys: [Key], _ params: Params, _ countEach: Int, _ context: Tensor?
      ) throws(FlowError) -> Tensor
    )?

  /// Makes a sampler from its parts.
  public init(
    _ boundary: Boundary, tempered: (@Sendable (_ temperature: Double) -> Body)? = nil, body: @escaping Body
  ) {
    self.boundary = boundary
    self.tempered = tempered
    self.body = body
  }

  /// Draws samples, `[count] + inputDim`. The first draws do not depend on `count`.
  ///
  /// Draws have the bits of `withLogPDF`. Only those of continuous flows with a tolerance differ within it:
  /// with log-densities, their errors count in the choice of steps.
  ///
  /// - Parameters:
  ///   - context: The context with one row per draw, or one row for all draws.
  /// - Precondition: `count` is not negative.
  public func callAsFunction(
    _ key: Key, _ params: Params, count: Int, given context: Tensor? = nil
  ) throws(FlowError) -> Tensor {
    guard let samplesAlone else { return try withLogPDF(key, params, count: count, given: context).samples }
    return try samplesAlone(key, params, count, try checked(params, count, context))
  }

  /// Draws samples and computes their log-densities in one pass.
  ///
  /// - Precondition: `count` is not negative.
  public func withLogPDF(
    _ key: Key, _ params: Params, count: Int, given context: Tensor? = nil
  ) throws(FlowError) -> (samples: Tensor, logPDF: Tensor) {
    try body(key, params, count, try checked(params, count, context))
  }

  /// Checks the arguments of a call, and repeats the one row of a context for all draws.
  private func checked(_ params: Params, _ count: Int, _ context: Tensor?) throws(FlowError) -> Tensor? {
    require(count >= 0, "a count of samples is not negative, got \(count)")
    let context =
      if let context, context.rank > 0, context.rows == 1 {
        context.broadcast(to: context.shape.replacing(0, by: count))
      } else {
        context
      }
    try boundary.check(params)
    try boundary.check(context, rows: count)
    return context
  }

  /// Draws samples with the latents' standard deviations multiplied by a temperature.
  ///
  /// A temperature below 1 gives draws closer to the mode of the latents. Location-scale families such as
  /// `Normal`, and `ConditionalNormal`, have a temperature.
  ///
  /// - Throws: `FlowError.mismatch` if the latent distribution has no temperature.
  /// - Precondition: `count` is not negative, and the temperature is positive.
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

  /// Makes a sampler whose functions, at all temperatures, are changes of this one's.
  func map(_ boundary: Boundary, _ change: @escaping @Sendable (@escaping Body) -> Body) -> Sampler {
    var tempered: (@Sendable (Double) -> Body)?
    if let own = self.tempered { tempered = { change(own($0)) } }
    return Sampler(boundary, tempered: tempered, body: change(body))
  }

  func expecting(_ params: Params) -> Sampler {
    var sampler = self
    sampler.boundary = boundary.expecting(params)
    return sampler
  }
}
