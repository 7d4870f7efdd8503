import Bijections
import Distributions
import Randomness
import Tensors

/// The forward Kullback-Leibler divergence on samples, up to a constant: −log q of a minibatch of given
/// samples.
///
/// It is maximum likelihood as an objective among others, and needs no target.
public struct ForwardKL: Objective {
  private let samples: Tensor
  private let context: Tensor?
  private let batchSize: Int

  /// The mean negative log-likelihood of rows drawn from given ones, with their contexts in an amortised fit.
  ///
  /// - Precondition: at least one row, as many contexts, a positive batch size.
  public init(on samples: Tensor, given context: Tensor? = nil, batchSize: Int = 256) {
    require(
      samples.rank > 1 && samples.rows > 0 && batchSize > 0
        && (context?.rows ?? samples.rows) == samples.rows,
      "ForwardKL needs samples [rows] + sample, as many contexts and a batch size, got \(samples.shape), "
        + "\(context.map { "\($0.shape)" } ?? "none") and \(batchSize)")
    (self.samples, self.context, self.batchSize) = (samples, context, batchSize)
  }

  /// The loss and its gradient.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let (indices, boundary) = (step.key.indices(batchSize, of: samples.rows), step.logPDF.boundary)
    var step = step
    (step.rows, step.context, step.weights) = (samples.rows(indices), context?.rows(indices), nil)
    try Boundary(
      "ForwardKL samples", domain: boundary.domain, contextDim: boundary.contextDim, dtype: step.dtype
    ).check(.empty, step.batch(for: "ForwardKL"), given: step.context)
    return try MaximumLikelihood().valueAndGradient(at: params, step)
  }
}

/// The forward Kullback-Leibler divergence to the target, up to a constant, by self-normalized importance
/// sampling.
///
/// −Σ w_k log q(x_k) over the flow's own draws, w_k ∝ p(x_k) / q(x_k) with sum 1; draws and weights are
/// constants. It covers all of the target, where the reverse divergence keeps to a mode. The estimate is
/// biased by the draws that q does not make, so it helps a flow that overlaps the target already.
///
/// Jerfel et al. 2021, *Variational refinement for importance sampling*, arXiv 2106.15980; Müller et al.
/// 2019, arXiv 1808.03856.
public struct SelfNormalizedForwardKL: Objective {
  private let draws: Int

  /// A cross-entropy over a number of draws per step, and per row of context.
  ///
  /// - Precondition: at least one draw.
  public init(draws: Int = 256) {
    require(draws > 0, "SelfNormalizedForwardKL needs draws, got \(draws)")
    self.draws = draws
  }

  /// The loss and its gradient.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let count = step.context?.rows ?? 1
    let context = step.context?.rows((0..<count).flatMap { Array(repeating: $0, count: draws) })
    let (x, logQ) = try step.sample.body(step.key, params, count * draws, context)
    let logWeights = try step.target(for: "SelfNormalizedForwardKL")(x, given: context) - logQ
    let shares = logWeights.reshaped(to: [count, draws]).softmax(axis: 1)
    let scaled = (Double(draws) * shares).reshaped(to: [count * draws])
    let shardRows = Parallelism.shardRows(of: x.shape.sample, parameters: params.learnedCount)
    return try Tensors.valueAndGradient(at: params, rows: x.rows, shardRows: shardRows) { params, rows in
      -scaled[rows] * (try step.logPDF.body(params, x[rows], context?[rows]))
    }
  }
}
