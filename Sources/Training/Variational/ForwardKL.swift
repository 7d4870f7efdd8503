import Bijections
import Distributions
import Randomness
import Tensors

/// The forward Kullback-Leibler divergence on samples, up to a constant: −log q of a minibatch of them.
///
/// Maximum likelihood, as an objective among the others; the target is not asked.
public struct ForwardKL: Objective {
  private let samples: Tensor
  private let batchSize: Int

  /// The mean negative log-likelihood of rows drawn from given ones.
  ///
  /// - Precondition: at least one row, a positive batch size.
  public init(on samples: Tensor, batchSize: Int = 256) {
    require(
      samples.rank > 1 && samples.rows > 0 && batchSize > 0,
      "ForwardKL needs samples [rows] + sample and a batch size, got \(samples.shape) and \(batchSize)")
    (self.samples, self.batchSize) = (samples, batchSize)
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    let rows = samples.rows(step.key.indices(batchSize, of: samples.rows))
    try Boundary(
      "ForwardKL samples", domain: step.logPDF.boundary.domain, contextDim: nil, dtype: step.dtype
    ).check(.empty, rows, given: nil)
    return try Tensors.valueAndGradient(at: params, over: rows) { params, rows in
      try -step.logPDF.body(params, rows, nil)
    }
  }
}

/// The forward Kullback-Leibler divergence to the target, up to a constant, by self-normalized importance sampling.
///
/// −Σ w_k log q(x_k) over the flow's own draws, w_k ∝ p(x_k) / q(x_k) with sum 1; draws and weights are constants. It covers what the
/// target covers, where the reverse divergence keeps to a mode; the estimate is biased by the draws that q does not make, so it
/// helps a flow that overlaps the target already.
///
/// Jerfel et al. 2021, *Variational refinement for importance sampling*, arXiv 2106.15980; Müller et al. 2019, arXiv 1808.03856.
public struct SelfNormalizedForwardKL: Objective {
  private let draws: Int

  /// A cross-entropy over a number of draws a step.
  ///
  /// - Precondition: at least one draw.
  public init(draws: Int = 256) {
    require(draws > 0, "SelfNormalizedForwardKL needs draws, got \(draws)")
    self.draws = draws
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    let (x, logQ) = try step.sample.body(step.key, params, draws, nil)
    let weights = (try step.target(x) - logQ).softmax(axis: 0)
    let scaled = (Double(draws) * weights).reshaped(to: [draws, 1])
    return try Tensors.valueAndGradient(at: params, over: x, given: scaled) { params, rows, weights in
      guard let weights else { preconditionFailure("rows come with their weights") }
      return -weights.reshaped(to: [rows.rows]) * (try step.logPDF.body(params, rows, nil))
    }
  }
}
