import Tensors

/// One direction of a bijection: a pure function of parameters, a batch and a context.
///
/// A call first checks its arguments and throws a `FlowError` that names the layer, the expectation and the
/// value given. Then it runs `body`, which holds mathematics only. Combinators call `body` directly.
public struct Mapping: Sendable {
  /// A function that gives outputs and log|det ∂outputs/∂inputs|, one per row or a scalar for all rows.
  public typealias Body =
    @Sendable (_ params: Params, _ inputs: Tensor, _ context: Tensor?) throws(FlowError) -> (
      outputs: Tensor, logDet: Tensor
    )
  /// A function that updates the statistics among the parameters by a batch. It returns the same tree with
  /// some frozen leaves replaced.
  public typealias Statistics =
    @Sendable (
      _ params: Params, _ batch: Tensor, _ context: Tensor?
    ) throws(FlowError) -> Params

  /// Properties that hold for all parameters.
  public struct Traits: OptionSet, Sendable {
    /// One bit per property.
    public let rawValue: Int
    /// Makes traits from bits.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// The log-determinant is 0 everywhere.
    public static let volumePreserving = Traits(rawValue: 1)
    /// A row's result depends on the other rows: training-mode batch normalization.
    public static let couplesRows = Traits(rawValue: 2)
  }

  /// The checks before `body` runs.
  public internal(set) var boundary: Boundary
  /// The shape and the possible values of one output sample.
  public let codomain: Domain
  /// The properties that hold for all parameters.
  public let traits: Traits
  /// The unchecked update of the statistics in a training step; nil for a mapping without statistics.
  public private(set) var statistics: Statistics?
  /// The estimate of its log-det in training, if it has one.
  var estimate: Estimate?
  /// The outputs alone, if they cost much less than with the log-det.
  var outputsAlone: Outputs?
  /// Whether the outputs alone are computed by the same steps as beside the log-det. Adaptive ones differ.
  var outputsAloneAreEqual = true
  /// Whether the statistics, if any, depend on the batch, not on the parameters alone.
  private(set) var statisticsNeedRows: Bool
  /// The function without checks. In a composite, a row outside the domain of a layer gets the log-det −∞.
  public internal(set) var body: Body
  /// The structure of a mapping that is made from others.
  var composition = Composition.layer(nil) {
    didSet {
      if case .layer = composition { return }
      (isBounded, statistics) = (composition.isBounded, Self.statistics(within: composition))
      statisticsNeedRows = composition.statisticsNeedRows
    }
  }
  /// The field and the path integrals of a continuous layer; nil for others.
  package internal(set) var continuous: ContinuousPart?
  /// Whether a layer restricts its inputs' values.
  package private(set) var isBounded: Bool

  /// Makes a mapping.
  public init(
    _ boundary: Boundary, to codomain: Domain, traits: Traits = [], statistics: Statistics? = nil,
    body: @escaping Body
  ) {
    (self.boundary, self.codomain, self.body) = (boundary, codomain, body)
    (self.traits, self.statistics) = (traits, statistics)
    (isBounded, statisticsNeedRows) = (boundary.domain.values != .reals, statistics != nil)
  }

  /// The name in errors and summaries.
  public var name: String { boundary.name }
  /// The shape and the allowed values of one input sample.
  public var domain: Domain { boundary.domain }

  /// Computes outputs `[batch] + codomain` and log|det ∂outputs/∂inputs| `[batch]`.
  ///
  /// A row's result has the same bits in any batch. NaN stays in its row, and an empty batch gives an empty
  /// result. Throws `FlowError` for parameters of another structure, a wrong shape or dtype, a missing or
  /// unexpected context, or a value outside the domain of a layer.
  public func callAsFunction(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    try boundary.check(params, inputs, given: context)
    return try unchecked(params, inputs, context)
  }

  /// Does without the checks of the arguments. Runs on all cores. A value outside the domain of a layer
  /// within a composite is still an error, but for a density.
  package func unchecked(
    _ params: Params, _ inputs: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    let results = try inShards(params, inputs, context)
    if isBounded && !isDensity && results.logDet.rowsInside != nil {
      try checkLayers(params, inputs, context)
    }
    return results
  }

  /// Runs `body` on all cores, with one log-det per row.
  func inShards(
    _ params: Params, _ inputs: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    if traits.contains(.couplesRows) { return try perRow(params, inputs, context) }
    let results = try mapRows(
      inputs.rows, of: inputs.shape.sample, parameters: params.learnedCount
    ) { (rows) throws(FlowError) in
      do throws(FlowError) {
        let (outputs, logDet) = try perRow(params, inputs[rows], context?[rows])
        return [outputs, logDet]
      } catch { throw error.withRow { $0 + rows.lowerBound } }
    }
    return (results[0], results[1])
  }

  /// Runs `body`. A scalar log-det is repeated for every row.
  package func perRow(
    _ params: Params, _ inputs: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (outputs: Tensor, logDet: Tensor) {
    let (outputs, logDet) = try body(params, inputs, context)
    return (outputs, logDet.repeated(forRows: inputs.rows))
  }

  /// Updates the statistics among the parameters by a batch of inputs, such as the running mean of batch
  /// normalization.
  ///
  /// Returns the same tree for a mapping without statistics. An empty batch moves only statistics that depend
  /// on the parameters alone (`ResidualFlow`). Rows outside the domain of a layer within do not count there.
  /// Throws as the call does for all else.
  public func updatingStatistics(
    _ params: Params, _ batch: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Params {
    try isDensity
      ? boundary.checkShapes(params, batch, given: context)
      : boundary.check(params, batch, given: context)
    guard let statistics, batch.rows > 0 || updatesWithoutRows else { return params }
    return try statistics(params, batch, context)
  }

  /// Whether a layer within restricts its inputs' values, and the mapping's own domain does not say how.
  package var isBoundedWithin: Bool { isBounded && domain.values == .reals }

  /// Whether the update of statistics takes an empty batch, which leaves those of rows as they are.
  package var updatesWithoutRows: Bool {
    if case .layer = composition { return !statisticsNeedRows }
    return true
  }

  /// The same mapping with an update of its statistics from the parameters alone, whatever the batch.
  func updating(by statistics: @escaping @Sendable (Params) throws(FlowError) -> Params) -> Mapping {
    var mapping = self
    mapping.statistics = { (params, _, _) throws(FlowError) in try statistics(params) }
    mapping.statisticsNeedRows = false
    return mapping
  }

  /// The number of learned parameters of its own tree, if that is known.
  package var learnedCount: Int { boundary.structure?.learned.leaves.reduce(0) { $0 + $1.shape.count } ?? 0 }

  /// The same mapping, which accepts parameter trees of this structure only.
  package func expecting(_ params: Params) -> Mapping {
    var mapping = self
    mapping.boundary = boundary.expecting(params)
    return mapping
  }
}

extension Tensor {
  /// A scalar repeated for every row; a tensor with rows as it is.
  func repeated(forRows rows: Int) -> Tensor { rank == 0 ? broadcast(to: [rows]) : self }
}
