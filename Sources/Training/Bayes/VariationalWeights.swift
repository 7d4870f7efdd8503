import Distributions
import Randomness
import Tensors

/// Variational inference of parameters by independent normal variables: the objective of ``MeanField``.
///
/// The loss is E −log p(x | θ), a mean over the rows, plus KL(q ‖ prior) / N for N training rows: the
/// negative evidence lower bound per row. q has the means and deviations s of `MeanField`, and the prior is
/// N(0, σ²) for every number. So KL = Σ log(σ / s) + (s² + μ²) / (2σ²) − ½.
///
/// Each step draws all parameters once, θ = μ + s ε, and holds the draw for the batch: densities, log-dets
/// and inverses are those of one flow. With the gradient g of the loss by θ, that by μ is g, and that by
/// log s is g ε s. Cost: that of the inner objective per draw, and a few operations per parameter.
///
/// N is the number of rows that the fit trains on. The held-out loss is the same bound, with four fixed draws
/// in pairs ±ε. A bound needs no rows held out: without them, all rows form the posterior.
///
/// Errors: `structure` for a distribution other than `MeanField`; `mismatch` in a fit to a target.
///
/// Graves 2011, *Practical variational inference for neural networks*; Blundell, Cornebise, Kavukcuoglu &
/// Wierstra 2015, *Weight uncertainty in neural networks*, arXiv 1505.05424; for flows in particle physics,
/// Bellagente, Haußmann, Luchmann & Plehn 2021, arXiv 2104.04543.
public struct VariationalWeights: Objective {
  private let objective: any Objective
  private let prior: Double
  private let draws: Int
  private let rows: Int?

  /// Variational inference around an objective.
  ///
  /// - Parameters:
  ///   - objective: the loss of given parameters in nats per row, by default minus the log-likelihood.
  ///   - prior: the standard deviation σ of the prior of every number.
  ///   - draws: the number of draws per step. Their gradients are averaged.
  ///   - rows: N, where it is not the number of rows that the fit trains on.
  /// - Precondition: a positive prior deviation, and numbers of draws and rows of at least 1.
  public init(
    _ objective: any Objective = .maximumLikelihood, prior: Double = 1, draws: Int = 1, rows: Int? = nil
  ) {
    require(prior > 0 && prior.isFinite, "a prior has a positive deviation, got \(prior)")
    require(draws > 0 && rows ?? 1 > 0, "VariationalWeights got \(draws) draws, \(rows ?? 1) rows")
    (self.objective, self.prior, self.draws, self.rows) = (objective, prior, draws, rows)
  }

  /// The default optimizer does not shrink weights: the prior does.
  public var hasPrior: Bool { true }

  /// The bound and its gradient.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let (tree, count) = (try MeanFieldTree(params, who: "VariationalWeights"), try trainingRows(step))
    var (value, byMean, byScale) = (Tensor?.none, [Tensor](), [Tensor]())
    for draw in 0..<draws {
      var own = step
      own.key = step.key.folded(in: 0).folded(in: draw)
      let noise = tree.noise(step.key.folded(in: 1).folded(in: draw))
      let (loss, gradient) = try objective.valueAndGradient(at: tree.drawn(noise), own)
      let byDraw = gradient.child("mean").learnedLeaves
      let moved = byDraw.indices.map { byDraw[$0] * noise[$0] * exp(tree.scales[$0].logScale) }
      value = value.map { $0 + loss } ?? loss
      byMean = byMean.isEmpty ? byDraw : zip(byMean, byDraw).map { $0 + $1 }
      byScale = byScale.isEmpty ? moved : zip(byScale, moved).map { $0 + $1 }
    }
    let share = 1 / Double(draws)
    let (means, variance) = (tree.mean.learnedLeaves, prior * prior)
    byMean = byMean.indices.map { share * byMean[$0] + means[$0] / (variance * count) }
    byScale = byScale.indices.map { i in
      let own = exp(2 * tree.scales[i].logScale) / variance - 1
      return share * byScale[i] + own / count
    }
    return (share * value! + divergence(tree) / count, gradient(params, tree, byMean, byScale))
  }

  /// The bound as a function of the parameters. The draws of ±ε are made once.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    let (loss, count) = (try objective.value(step), try trainingRows(step))
    return { params in
      let tree = try MeanFieldTree(params, who: "VariationalWeights")
      var total: Tensor?
      for pair in 0..<2 {
        let noise = tree.noise(step.key.folded(in: 1).folded(in: pair))
        for sign in [1.0, -1] {
          let own = try loss(tree.drawn(noise, sign: sign))
          total = total.map { $0 + own } ?? own
        }
      }
      return total! / 4 + divergence(tree) / count
    }
  }

  /// KL(q ‖ prior) over the learned numbers.
  private func divergence(_ tree: MeanFieldTree) -> Double {
    let (logPrior, variance) = (log(Tensor(prior, dtype: .float64)).item, prior * prior)
    return zip(tree.mean.learnedLeaves, tree.scales).reduce(0) { total, pair in
      let (mean, logScale) = (pair.0.cast(to: .float64), pair.1.logScale.cast(to: .float64))
      let terms = (exp(2 * logScale) + square(mean)) / (2 * variance) - logScale
      return total + terms.sum().item + Double(mean.count) * (logPrior - 0.5)
    }
  }

  private func trainingRows(_ step: TrainingStep) throws(FlowError) -> Double {
    if let count = rows ?? step.trainingRows { return Double(count) }
    throw .mismatch(
      who: "VariationalWeights", what: "a number of training rows", expected: "from a fit to data or its own",
      got: "none")
  }

  /// The gradient in the structure of the learned leaves of both trees. A scale whose mean is frozen has 0.
  private func gradient(_ params: Params, _ tree: MeanFieldTree, _ byMean: [Tensor], _ byScale: [Tensor])
    -> Params
  {
    let scales = params.child("logScale")
    let known = Dictionary(uniqueKeysWithValues: zip(tree.scales.map(\.path), byScale))
    var leaves: [Tensor] = []
    scales.forEach { path, leaf, isFrozen in
      if !isFrozen { leaves.append(known[path] ?? .zeros(leaf.shape, dtype: leaf.dtype)) }
    }
    return [
      "mean": tree.mean.learned.replacingLearned(with: byMean),
      "logScale": scales.learned.replacingLearned(with: leaves),
    ]
  }
}

extension Objective where Self == VariationalWeights {
  /// Variational inference of the parameters of a ``MeanField``, by likelihood.
  ///
  /// - Parameters:
  ///   - prior: the standard deviation of the prior of every number.
  ///   - draws: the number of draws per step.
  /// - Precondition: positive numbers.
  public static func variationalWeights(prior: Double = 1, draws: Int = 1) -> Self {
    VariationalWeights(prior: prior, draws: draws)
  }
}
