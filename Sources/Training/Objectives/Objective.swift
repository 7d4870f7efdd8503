import Bijections
import Distributions
import Randomness
import Tensors

/// An objective: estimates a loss and its gradient in one training step.
///
/// Every fit minimizes one: ``MaximumLikelihood`` and ``Contrastive`` take rows of data, ``VariationalBound``
/// and ``SelfNormalizedForwardKL`` take a target density. An objective is a pure function of the parameters
/// and the step, so the same key gives the same bits. An objective that needs a step of the other kind throws
/// `FlowError.mismatch`.
public protocol Objective: Sendable {
  /// The loss in nats at the parameters, and its gradient in the structure of their `learned`.
  func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient

  /// The loss as a function of the parameters, to judge them. By default it is taken from `valueAndGradient`.
  func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor

  /// Whether the objective has a prior of the parameters. The default optimizer of `fit` then has no weight
  /// decay. By default it is false.
  var hasPrior: Bool { get }
}

/// A loss, and its gradient in the structure of the parameters' `learned`.
public typealias LossAndGradient = (value: Tensor, gradient: Params)

extension Objective {
  /// The loss as a function of the parameters.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    { try valueAndGradient(at: $0, step).value }
  }

  /// The objective has no prior.
  public var hasPrior: Bool { false }
}

/// The inputs of an objective in one training step.
public struct TrainingStep: Sendable {
  /// The log-density of the distribution that is fitted.
  public var logPDF: LogPDF
  /// The sampler of the distribution that is fitted.
  public var sample: Sampler
  /// The batch, `[rows] + inputDim`; nil in a fit to a target.
  public var rows: Tensor?
  /// The importance of each row, `[rows]`, with mean 1; nil where all rows count alike.
  public var weights: Tensor?
  /// The context of the batch; in a fit to a target, the contexts to draw for.
  public var context: Tensor?
  /// The target density; nil in a fit to data.
  public var target: Target?
  /// The key of the objective's draws. Each step has its own.
  public var key: Key
  /// The number of steps done before this one.
  public var index: Int
  /// The number of rows that the fit trains on, without those of weight 0; nil in a fit to a target, and
  /// where it must not be known.
  public var trainingRows: Int?
  /// The numbers of the rows in the data, for errors; nil: 0, 1, ...
  var rowNumbers: [Int]?
  /// The dtype of parameters, rows and draws.
  public var dtype: DType { logPDF.boundary.dtype }

  /// A step on a batch of data or towards a target.
  public init(
    logPDF: LogPDF, sample: Sampler, rows: Tensor? = nil, weights: Tensor? = nil, context: Tensor? = nil,
    target: Target? = nil, key: Key, index: Int = 0
  ) {
    (self.logPDF, self.sample) = (logPDF, sample)
    (self.rows, self.weights, self.context, self.target) = (rows, weights, context, target)
    (self.key, self.index) = (key, index)
  }

  /// The batch. Throws `FlowError.mismatch` in a fit to a target.
  public func batch(for who: String) throws(FlowError) -> Tensor {
    if let rows { return rows }
    throw .mismatch(who: who, what: "a batch of data", expected: "to fit to", got: "a target density")
  }

  /// The target. Throws `FlowError.mismatch` in a fit to data.
  public func target(for who: String) throws(FlowError) -> Target {
    if let target { return target }
    throw .mismatch(who: who, what: "a target density", expected: "to fit to", got: "a batch of data")
  }

  /// Throws `FlowError.outsideDomain` for the first row outside the support.
  ///
  /// - Parameter inLayersAlone: whether a layer has to exclude the row. Otherwise a density of 0 is enough.
  func checkSupport(_ params: Params, inLayersAlone: Bool) throws(FlowError) {
    guard let rows else { return }
    do {
      if inLayersAlone {
        // Without a bounded domain within, no layer excludes a row.
        if logPDF.mapping.isBounded {
          try logPDF.checkLayers(params, rows, given: context)
        } else {
          try logPDF.boundary.checkShapes(params, rows, given: context)
        }
      } else {
        try logPDF.checkSupport(params, rows, given: context)
      }
    } catch .outsideDomain(let who, let expected, let got, let row) {
      throw .outsideDomain(who: who, expected: expected, got: got, row: rowNumbers?[row] ?? row)
    }
  }

  /// The same step without the rows of weight 0. The other weights are scaled: their mean stays that over all
  /// rows.
  ///
  /// Such a row may lie outside the support, where its loss is infinite and 0 times its loss is NaN.
  ///
  /// - Precondition: one weight is not 0.
  func withoutRowsOfWeightZero() -> TrainingStep {
    guard let rows, let weights, let kept = weights.indicesOfNonzero else { return self }
    require(!kept.isEmpty, "a batch needs a row whose weight is not 0")
    var step = self
    step.rows = rows.rows(kept)
    step.context = context?.rows(kept)
    step.rowNumbers = kept.map { rowNumbers?[$0] ?? $0 }
    step.weights = weights.rows(kept) * (Double(kept.count) / Double(rows.rows))
    return step
  }
}

extension Tensor {
  /// The indices of the elements that are not 0; nil where that is all of them.
  ///
  /// In a trace no weight is 0, as `fit` leaves such rows out.
  var indicesOfNonzero: [Int]? {
    if isSymbolic { return nil }
    let values = doubles
    return values.contains(0) ? values.indices.filter { values[$0] != 0 } : nil
  }
}
