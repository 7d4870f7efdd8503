import Bijections
import Distributions
import Randomness
import Tensors

/// What a fit to data minimizes: the weighted mean, over a batch, of a loss a row.
///
/// ```swift
/// try fit(flow, to: data, weights: weights, key: Key(0))                             // maximum likelihood
/// try fit(flow, to: thetas, given: simulations, objective: .contrastive(atoms: 10) { theta in
///   try priorLogPDF(priorParams, theta)
/// }, key: Key(0))
/// ```
///
/// An objective of one's own is a function of a batch. Other rows of the batch may stand in a row's loss as data.
public struct DataObjective: Sendable {
  /// What a step sees of the data.
  public struct Batch: Sendable {
    /// The rows.
    public let rows: Tensor
    /// Rows of context beside them.
    public let context: Tensor?
    /// What each row counts, `[rows]`; nil: all the same.
    public let weights: Tensor?
    /// What an objective that draws draws from; one's own for each batch.
    public let key: Key

    /// A batch.
    public init(_ rows: Tensor, given context: Tensor? = nil, weights: Tensor? = nil, key: Key) {
      self.rows = rows
      self.context = context
      self.weights = weights
      self.key = key
    }
  }

  /// The losses of some of the batch's rows, `[range.count]`, from a log-density and its parameters.
  public typealias Losses =
    @Sendable (_ logPDF: LogPDF, _ params: Params, _ rows: Range<Int>) throws -> Tensor

  private let losses: @Sendable (Batch) throws -> Losses

  /// An objective: what is drawn, once a batch, and then the losses of its rows.
  public init(_ losses: @escaping @Sendable (_ batch: Batch) throws -> Losses) { self.losses = losses }

  /// The mean of weight · loss over the batch, as a function of the parameters: what is drawn is drawn once.
  ///
  /// Throws what the objective throws; the function throws what the log-density throws.
  public func value(of logPDF: LogPDF, over batch: Batch) throws -> (Params) throws -> Tensor {
    let (losses, count) = (try weighted(batch), batch.rows.rows)
    return { try losses(logPDF, $0, 0..<count).mean() }
  }

  /// The mean of weight · loss over the batch, and its gradient. Rows are sharded unless they depend on each other.
  ///
  /// Throws what the objective and the log-density throw.
  public func valueAndGradient(
    of logPDF: LogPDF, at params: Params, over batch: Batch
  ) throws -> (value: Tensor, gradient: Params) {
    let (losses, count) = (try weighted(batch), batch.rows.rows)
    if logPDF.traits.contains(.couplesRows) {
      return try Tensors.valueAndGradient(at: params) { try losses(logPDF, $0, 0..<count).mean() }
    }
    let shardRows = Parallelism.shardRows(of: batch.rows.shape.sample)
    return try Tensors.valueAndGradient(at: params, rows: count, shardRows: shardRows) {
      try losses(logPDF, $0, $1)
    }
  }

  private func weighted(_ batch: Batch) throws -> Losses {
    let losses = try losses(batch)
    guard let weights = batch.weights else { return losses }
    return { logPDF, params, rows in try weights[rows] * losses(logPDF, params, rows) }
  }
}

extension DataObjective {
  /// −log q(x | c): maximum likelihood.
  public static let maximumLikelihood = DataObjective { batch in
    { logPDF, params, rows in -(try logPDF.body(params, batch.rows[rows], batch.context?[rows])) }
  }

  /// −log of the odds' share that a row has among itself and `atoms` other rows x′ of the batch, all with its context c:
  /// −log [ q(x | c) / p(x) / Σ q(x′ | c) / p(x′) ]. For a conditional distribution q with the prior p.
  ///
  /// The posterior under the prior p minimizes it, whatever distribution the rows x were proposed from: so rounds of
  /// simulations can each be proposed from the posterior of the round before. Maximum likelihood would learn the posterior
  /// under the proposals instead. The others of a row are those that follow it in a random order of the batch, which goes
  /// round: each set of them is as likely as any other, and one order does for the whole batch. A batch of no more than
  /// `atoms` rows takes all the others. Cost: atoms + 1 log-densities a row.
  ///
  /// Greenberg, Nonnenmacher & Macke 2019, *Automatic posterior transformation*, arXiv 1905.07488, equation 7 and algorithm 1
  /// with atomic proposals (SNPE-C); with all other rows as atoms equal to flowjax's `ContrastiveLoss`.
  ///
  /// - Parameters:
  ///   - atoms: other rows a row, at least 1.
  ///   - prior: log p of rows, up to a constant.
  /// - Precondition: positive `atoms`; `prior` gives one number a row.
  public static func contrastive(
    atoms: Int, prior: @escaping @Sendable (_ rows: Tensor) throws -> Tensor
  ) -> DataObjective {
    require(atoms > 0, "a contrastive loss needs at least one atom, got \(atoms)")
    return DataObjective { batch in
      let count = batch.rows.rows
      let others = min(atoms, count - 1)
      let order = batch.key.permutation(count)
      var place = order
      for (position, row) in order.enumerated() { place[row] = position }
      let (places, logPrior) = (place, try prior(batch.rows))
      require(logPrior.shape == [count], "the prior must give one number a row, got \(logPrior.shape)")

      return { logPDF, params, rows in
        // Each row, then its others: (others + 1) rows of one context.
        let candidates = rows.flatMap { row in (0...others).map { order[(places[row] + $0) % count] } }
        let contexts = batch.context?.rows(rows.flatMap { Array(repeating: $0, count: others + 1) })
        let logOdds =
          try logPDF.body(params, batch.rows.rows(candidates), contexts) - logPrior.rows(candidates)
        let table = logOdds.reshaped(to: [rows.count, others + 1])
        return table.logSumExp(axis: 1) - table.sliced(axis: 1, 0..<1).reshaped(to: [rows.count])
      }
    }
  }
}
