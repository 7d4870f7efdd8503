import Distributions
import Randomness
import Tensors

/// The contrastive loss of a conditional distribution q with a prior p: the cross-entropy of picking each
/// row's own context among `atoms` other rows.
///
/// The loss of a row x with context c is −log [ q(x | c) / p(x) / Σ q(x′ | c) / p(x′) ]. The sum goes over
/// the row itself and `atoms` other rows x′ of the batch.
///
/// The posterior under the prior minimizes it, whichever distribution the rows were proposed from. So each
/// round of simulations can be proposed from the posterior of the round before. Maximum likelihood would
/// learn the posterior under the proposals instead. The atoms of a row are those that follow it in a random
/// cyclic order of the batch. A batch of no more than `atoms` rows takes all the others. Cost: atoms + 1
/// log-densities per row.
///
/// Greenberg, Nonnenmacher & Macke 2019, *Automatic posterior transformation*, arXiv 1905.07488, equation 7
/// and algorithm 1 with atomic proposals (SNPE-C). With all other rows as atoms it is equal to flowjax's
/// `ContrastiveLoss`.
public struct Contrastive: RowObjective {
  private let atoms: Int
  private let prior: @Sendable (_ rows: Tensor) throws -> Tensor

  /// A contrastive loss.
  ///
  /// - Parameters:
  ///   - atoms: the number of other rows per row, at least 1.
  ///   - prior: log p of rows, up to a constant.
  /// - Precondition: positive `atoms`; `prior` gives one number per row.
  public init(atoms: Int, prior: @escaping @Sendable (_ rows: Tensor) throws -> Tensor) {
    require(atoms > 0, "a contrastive loss needs at least one atom, got \(atoms)")
    (self.atoms, self.prior) = (atoms, prior)
  }

  /// The cross-entropy of each row.
  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let (x, context, logPDF) = (try step.batch(for: "Contrastive"), step.context, step.logPDF)
    let count = x.rows
    let others = min(atoms, count - 1)
    let order = step.key.permutation(count)
    let places = order.indices.sorted { order[$0] < order[$1] }
    let logPrior = try prior(x)
    require(logPrior.shape == [count], "the prior must give one number per row, got \(logPrior.shape)")

    return { params, rows in
      // Each row, then its others: (others + 1) rows of one context.
      let candidates = rows.flatMap { row in (0...others).map { order[(places[row] + $0) % count] } }
      let contexts = context?.rows(rows.flatMap { Array(repeating: $0, count: others + 1) })
      let logOdds = try logPDF.body(params, x.rows(candidates), contexts) - logPrior.rows(candidates)
      let table = logOdds.reshaped(to: [rows.count, others + 1])
      return table.logSumExp(axis: 1) - table.sliced(axis: 1, 0..<1).reshaped(to: [rows.count])
    }
  }
}
