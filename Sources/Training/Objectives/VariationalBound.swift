import Distributions
import Randomness
import Tensors

/// A variational bound on a target's log-normalizer, negative, estimated from draws of the flow in groups of
/// K.
///
/// Rényi's α-divergence as a bound: −E 1/(1 − α) log (1/K Σ w_k^{1 − α}) with the importance weights w = p(x)
/// / q(x). It is at least −log ∫ p, with equality where q is p / ∫ p.
///
/// - α = 1 is the negative ELBO, `.reverseKL`.
/// - α = 0 is the importance-weighted bound, `.importanceWeighted`, tighter
///   with K.
/// - Other values: `.alphaDivergence`. α < 1 covers more of the target than
///   the ELBO does, α > 1 less.
///
/// With contexts, an amortised fit, each row of context has its own groups of draws, and the bound is the
/// mean over rows.
///
/// With v_k = w_k^{1−α} / Σ w_j^{1−α} the bound's gradient is Σ v_k ∇ log w_k. There ∇ log w_k has a part
/// through the draw and the part −∇ log q(x_k) with x_k fixed. Reparameterized once more, E v_k ∇ log q(x_k)
/// = E ∂v_k/∂x_k ∇x_k, and since ∂v_k / ∂log w_k = (1 − α)(v_k − v_k²), the whole is
///
///     E Σ (v_k − (1 − α)(v_k − v_k²)) ∂log w_k/∂x_k ∇x_k  =  E Σ (α v_k + (1 − α) v_k²) ∂log w_k/∂x_k ∇x_k.
///
/// For α = 1, v_k = 1/K: sticking the landing. Li & Turner 2016, arXiv 1602.02311, eq. 11; Burda, Grosse &
/// Salakhutdinov 2015, arXiv 1509.00519, eq. 8; Roeder, Wu & Duvenaud 2017, arXiv 1703.09194; Tucker, Lawson,
/// Gu & Maddison 2018, arXiv 1810.04152; Geffner & Domke 2020, arXiv 2007.14634.
public struct VariationalBound: Objective {
  private let alpha: Double
  private let groups, particles: Int
  private let estimator: GradientEstimator

  /// The bound of an α over groups of draws, per row of context where there are contexts.
  ///
  /// - Precondition: at least one group and one particle.
  public init(alpha: Double, particles: Int, groups: Int, estimator: GradientEstimator) {
    require(
      groups > 0 && particles > 0, "a bound needs draws, got \(groups) groups of \(particles) particles")
    (self.alpha, self.groups, self.particles, self.estimator) = (alpha, groups, particles, estimator)
  }

  /// The loss and its gradient. Groups are sharded.
  ///
  /// Throws the errors of flow and target.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    let target = try step.target(for: "VariationalBound")
    let (rows, shardRows) = (groups * (step.context?.rows ?? 1), max(1, Parallelism.shardRows / particles))
    return try Tensors.valueAndGradient(at: params, rows: rows, shardRows: shardRows) { params, range in
      let key = step.key.folded(in: range.lowerBound / shardRows)
      return -(try bound(params, step, target, key, groups: range))
    }
  }

  /// The bound of each group.
  private func bound(
    _ params: Params, _ step: TrainingStep, _ target: Target, _ key: Key, groups range: Range<Int>
  ) throws(FlowError) -> Tensor {
    let context = step.context?.rows(range.flatMap { Array(repeating: $0 / groups, count: particles) })
    let (x, logQ) = try step.sample.body(key, params, range.count * particles, context)
    let (logP, shape) = (try target(x, given: context), [range.count, particles] as Shape)
    switch estimator {
    case .pathwise:
      return bound((logP - logQ).reshaped(to: shape))
    case .doublyReparameterized:
      let logQ = try step.logPDF.body(params.map(\.detached), x, context)
      let logW = (logP - logQ).reshaped(to: shape)
      let values = logW.detached
      let v = ((1 - alpha) * values).softmax(axis: 1)
      // A draw of weight 0 has no part in the gradient: 0 times its −∞ would be NaN.
      let finite = select(where: values .> -.infinity, logW, 0)
      let path = ((alpha * v + (1 - alpha) * square(v)) * finite).sum(axis: 1)
      return bound(values) + (path - path.detached)
    }
  }

  private func bound(_ logW: Tensor) -> Tensor {
    if alpha == 1 { return logW.mean(axis: 1) }
    let logCount = log(Tensor(Double(particles), dtype: .float64)).item
    return (((1 - alpha) * logW).logSumExp(axis: 1) - logCount) / (1 - alpha)
  }
}

extension Objective where Self == VariationalBound {
  /// The reverse Kullback-Leibler divergence up to the target's constant, E_q[log q(x) − log p(x)]: the
  /// negative ELBO.
  ///
  /// With `.doublyReparameterized` it is *sticking the landing*.
  ///
  /// - Parameter draws: draws per step, and per row of context; at least one.
  public static func reverseKL(draws: Int = 256, estimator: GradientEstimator = .pathwise) -> Self {
    VariationalBound(alpha: 1, particles: 1, groups: draws, estimator: estimator)
  }

  /// The importance-weighted ELBO, negative: −E log (1/K Σ p(x_k) / q(x_k)) over K particles, tighter with K.
  ///
  /// It is doubly reparameterized by default. Otherwise the gradient's signal falls with K.
  public static func importanceWeighted(
    particles: Int = 16, groups: Int = 16, estimator: GradientEstimator = .doublyReparameterized
  ) -> VariationalBound {
    VariationalBound(alpha: 0, particles: particles, groups: groups, estimator: estimator)
  }

  /// Rényi's α-divergence as a bound over groups of K particles, negative.
  public static func alphaDivergence(
    _ alpha: Double, particles: Int = 16, groups: Int = 16,
    estimator: GradientEstimator = .doublyReparameterized
  ) -> VariationalBound {
    VariationalBound(alpha: alpha, particles: particles, groups: groups, estimator: estimator)
  }
}

/// A way to differentiate a loss that is an expectation over a flow's draws. All are unbiased but for the
/// bound's own bias.
public enum GradientEstimator: Sendable, Hashable {
  /// Through the draws and through the density's parameters: one pass in the direction of sampling.
  case pathwise
  /// Through the draws alone. The term of mean 0 is left out (sticking the landing) or rewritten (doubly
  /// reparameterized).
  ///
  /// It has no variance where the flow is exact. It takes the density of the draws, a pass in the other
  /// direction, and needs a smooth density. The score of a spline flow far from its target jumps from bin to
  /// bin, and the variance with it.
  case doublyReparameterized
}
