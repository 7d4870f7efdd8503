import Distributions
import Randomness
import Tensors

/// The reverse Kullback-Leibler divergence up to the target's constant: the negative ELBO.
///
/// E_q[log q(x) − log p(x)], x drawn from the flow. At least −log ∫ p, with equality where q is p / ∫ p.
///
/// With `.doublyReparameterized` it is *sticking the landing*, Roeder, Wu & Duvenaud 2017, arXiv 1703.09194. A target's function
/// takes a batch or a sample at a time (`Target.perSample`), which makes this the batched and the plain ELBO.
public struct ReverseKL: Objective {
  private let bound: MultipleDraws

  /// A negative ELBO over a number of draws a step.
  ///
  /// - Precondition: at least one draw.
  public init(draws: Int = 256, estimator: GradientEstimator = .pathwise) {
    bound = MultipleDraws(alpha: 1, groups: draws, particles: 1, estimator: estimator)
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    try bound.valueAndGradient(at: params, step)
  }
}

/// The importance-weighted ELBO, negative: −E log (1/K Σ p(x_k) / q(x_k)) over K draws, tighter with K.
///
/// Burda, Grosse & Salakhutdinov 2015, arXiv 1509.00519, eq. 8; doubly reparameterized by default, without which the gradient's
/// signal falls with K: Tucker, Lawson, Gu & Maddison 2018, arXiv 1810.04152.
public struct ImportanceWeighted: Objective {
  private let bound: MultipleDraws

  /// A bound over groups of K draws.
  ///
  /// - Precondition: at least one particle and one group.
  public init(
    particles: Int = 16, groups: Int = 16, estimator: GradientEstimator = .doublyReparameterized
  ) {
    bound = MultipleDraws(alpha: 0, groups: groups, particles: particles, estimator: estimator)
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    try bound.valueAndGradient(at: params, step)
  }
}

/// Rényi's α-divergence as a bound over K draws, negative: −E 1/(1 − α) log (1/K Σ (p(x_k) / q(x_k))^{1 − α}).
///
/// α = 1 is the ELBO, α = 0 the importance-weighted one; α < 1 covers more of the target than the ELBO does, α > 1 less.
///
/// Li & Turner 2016, arXiv 1602.02311, eq. 11; doubly reparameterized by default (DReG), Geffner & Domke 2020, arXiv 2007.14634.
public struct AlphaDivergence: Objective {
  private let bound: MultipleDraws

  /// A bound over groups of K draws.
  ///
  /// - Precondition: at least one particle and one group.
  public init(
    alpha: Double, particles: Int = 16, groups: Int = 16,
    estimator: GradientEstimator = .doublyReparameterized
  ) {
    bound = MultipleDraws(alpha: alpha, groups: groups, particles: particles, estimator: estimator)
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    try bound.valueAndGradient(at: params, step)
  }
}

/// The one formula of the three: groups of K draws, weights w = p / q, −1/(1 − α) log (1/K Σ w_k^{1 − α}) a group.
///
/// With v_k = w_k^{1−α} / Σ w_j^{1−α} the bound's gradient is Σ v_k ∇ log w_k, where ∇ log w_k has a part through the draw and the
/// part −∇ log q(x_k) with x_k fixed. Reparameterized once more, E v_k ∇ log q(x_k) = E ∂v_k/∂x_k ∇x_k, and since
/// ∂v_k / ∂log w_k = (1 − α)(v_k − v_k²), the whole is
///
///     E Σ (v_k − (1 − α)(v_k − v_k²)) ∂log w_k/∂x_k ∇x_k  =  E Σ (α v_k + (1 − α) v_k²) ∂log w_k/∂x_k ∇x_k.
///
/// For α = 1, v_k = 1/K: sticking the landing.
struct MultipleDraws: Objective {
  let alpha: Double
  let groups, particles: Int
  let estimator: GradientEstimator

  init(alpha: Double, groups: Int, particles: Int, estimator: GradientEstimator) {
    require(
      groups > 0 && particles > 0, "a bound needs draws, got \(groups) groups of \(particles) particles")
    self.alpha = alpha
    self.groups = groups
    self.particles = particles
    self.estimator = estimator
  }

  func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    let shardRows = max(1, Parallelism.shardRows / particles)
    return try Tensors.valueAndGradient(at: params, rows: groups, shardRows: shardRows) { params, rows in
      let key = step.key.folded(in: rows.lowerBound / shardRows)
      return -(try bound(params, step, key, groups: rows.count))
    }
  }

  /// The bound of each group.
  private func bound(
    _ params: Params, _ step: VariationalStep, _ key: Key, groups: Int
  ) throws(FlowError) -> Tensor {
    let (x, logQ) = try step.sample.body(key, params, groups * particles, nil)
    let logP = try step.target(x)
    switch estimator {
    case .pathwise:
      return bound((logP - logQ).reshaped(to: [groups, particles]))
    case .doublyReparameterized:
      let logQ = try step.logPDF.body(params.map(\.detached), x, nil)
      let logW = (logP - logQ).reshaped(to: [groups, particles])
      let values = logW.detached
      let v = ((1 - alpha) * values).softmax(axis: 1)
      let path = ((alpha * v + (1 - alpha) * square(v)) * logW).sum(axis: 1)
      return bound(values) + (path - path.detached)
    }
  }

  private func bound(_ logW: Tensor) -> Tensor {
    if alpha == 1 { return logW.mean(axis: 1) }
    let logCount = log(Tensor(Double(particles), dtype: .float64)).item
    return (((1 - alpha) * logW).logSumExp(axis: 1) - logCount) / (1 - alpha)
  }
}
