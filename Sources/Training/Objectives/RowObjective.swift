import Bijections
import Distributions
import Tensors

/// An objective that is a mean over the rows of a batch: of one loss per row, times the row's weight.
///
/// A conforming type gives the losses; sharding over cores, row weights and the mean are added here.
///
/// ```swift
/// struct Hinge: RowObjective {
///   func losses(_ step: TrainingStep) throws -> RowLosses {
///     let x = try step.batch(for: "Hinge")
///     let (logPDF, context) = (step.logPDF, step.context)
///     return { params, rows in maximum(1 - (try logPDF.body(params, x[rows], context?[rows])), 0) }
///   }
/// }
/// ```
public protocol RowObjective: Objective {
  /// The loss per row of a batch, as a function of parameters and rows. Draws from the step's key are made
  /// here, once.
  ///
  /// The loss of a row may depend on other rows of the batch as data.
  func losses(_ step: TrainingStep) throws -> RowLosses
}

/// The losses, `[rows.count]`, of a range of a batch's rows at the parameters.
public typealias RowLosses = @Sendable (_ params: Params, _ rows: Range<Int>) throws -> Tensor

extension RowObjective {
  /// The weighted mean of the losses, and its gradient. Rows are sharded unless they depend on each other.
  ///
  /// Throws the errors of the losses.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let (losses, sample, count) = try weighted(step)
    if step.logPDF.traits.contains(.couplesRows) {
      return try Tensors.valueAndGradient(at: params) { try losses($0, 0..<count).mean() }
    }
    return try Tensors.valueAndGradient(
      at: params, rows: count, shardRows: Parallelism.shardRows(of: sample, parameters: params.learnedCount),
      losses)
  }

  /// The weighted mean of the losses as a function of the parameters. Draws are made once.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    let (losses, sample, count) = try weighted(step)
    if step.logPDF.traits.contains(.couplesRows) { return { try losses($0, 0..<count).mean() } }
    if let ranks = Ranks.current {
      return { params in try ranks.mapRows(count, of: sample) { rows in try losses(params, rows) }.mean() }
    }
    return { params in
      try mapRows(count, of: sample) { rows in [try losses(params, rows)] }[0].mean()
    }
  }

  private func weighted(_ step: TrainingStep) throws -> (losses: RowLosses, sample: Shape, count: Int) {
    let step = step.withoutRowsOfWeightZero()
    let (own, rows) = (try losses(step), try step.batch(for: "\(Self.self)"))
    let numbers = step.rowNumbers
    let losses: RowLosses = { params, range in
      do { return try own(params, range) } catch let error as FlowError {
        // Errors name a row of the data.
        throw error.withRow { numbers?[$0 + range.lowerBound] ?? $0 + range.lowerBound }
      }
    }
    guard let weights = step.weights else { return (losses, rows.shape.sample, rows.rows) }
    return ({ try weights[$1] * losses($0, $1) }, rows.shape.sample, rows.rows)
  }
}

/// Maximum likelihood: minimizes the mean of −log q(x | c) over the rows.
public struct MaximumLikelihood: RowObjective {
  /// Maximum likelihood.
  public init() {}

  /// The negative log-likelihood of each row.
  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let (x, context, logPDF) = (try step.batch(for: "MaximumLikelihood"), step.context, step.logPDF)
    return { params, rows in -(try logPDF.body(params, x[rows], context?[rows])) }
  }
}

extension Objective where Self == MaximumLikelihood {
  /// Maximum likelihood: minimizes the mean of −log q(x | c) over the rows.
  public static var maximumLikelihood: MaximumLikelihood { MaximumLikelihood() }
}
