import Distributions
import Randomness
import Tensors

/// The binary loss of ratio estimation: the cross-entropy of telling each row with its own context from
/// another row with that context.
///
/// With f(x, c) = log q(x | c) − log p(x), the loss of a row x with context c is
/// softplus(−f(x, c)) + softplus(f(x′, c)). Row x′ is the one that follows x in a random cyclic order of the
/// batch.
///
/// The best f is log p(x, c) − log p(x) p(c) of the pairs, with its constant. ``Contrastive`` finds it up to
/// a function of c. Rows may come from any proposal in place of p: f changes by a function of c alone. Cost:
/// two log-densities per row.
///
/// Hermans, Begy & Louppe 2020, *Likelihood-free MCMC with amortized approximate ratio estimators*, arXiv
/// 1903.04057, algorithm 1.
public struct BinaryContrast: RowObjective {
  private let prior: @Sendable (_ rows: Tensor) throws -> Tensor

  /// A binary loss.
  ///
  /// - Parameter prior: log p of rows, with its constant.
  /// - Precondition: `prior` gives one number per row.
  public init(prior: @escaping @Sendable (_ rows: Tensor) throws -> Tensor) { self.prior = prior }

  /// The cross-entropy of each row, the sum of both terms.
  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let (x, context, logPDF) = (try step.batch(for: "BinaryContrast"), step.context, step.logPDF)
    let order = step.key.permutation(x.rows)
    var others = order
    for place in order.indices { others[order[place]] = order[(place + 1) % order.count] }
    let (logPrior, partners) = (try prior(x), others)
    require(logPrior.shape == [x.rows], "the prior must give one number per row, got \(logPrior.shape)")
    return { params, rows in
      let own = Array(rows)
      let candidates = own + own.map { partners[$0] }
      let ratios =
        try logPDF.body(params, x.rows(candidates), context?.rows(own + own)) - logPrior.rows(candidates)
      return softplus(-ratios[0..<rows.count]) + softplus(ratios[rows.count..<2 * rows.count])
    }
  }
}
