import Bijections
import Distributions
import Randomness
import Tensors

/// Maximum likelihood of a continuous flow with costs of its paths: OT-Flow, RNODE and FFJORD.
///
/// The loss of a row is −log q(x) + Σ weight · cost, in nats, with the costs of `PathCosts` summed over the
/// flow's continuous layers. The log-det is the integral of the trace. With an estimated trace the loss is
/// unbiased, at one Jacobian-vector product per evaluation.
///
/// Held-out rows are judged by the exact log-density alone, so that losses of different weights and
/// estimates compare. Pass `fit` an `evaluation` distribution whose solver takes more steps.
///
/// Errors: `mismatch` for a flow without a continuous layer or with one in a mixture, and for the optimality
/// of a field without a potential.
///
/// Onken et al. 2021, *OT-Flow*, arXiv 2006.00104, eq. 8; Finlay et al. 2020, *How to train your neural ODE*,
/// arXiv 2002.02798; Grathwohl et al. 2018, *FFJORD*, arXiv 1810.01367. RNODE uses products of the transposed
/// Jacobian with the noise. The squares of both products have the same mean.
public struct RegularizedLikelihood: RowObjective {
  /// A way to compute traces in training.
  public enum Trace: Sendable, Hashable {
    /// The exact trace.
    case exact
    /// Hutchinson's estimate εᵀ (∂v/∂x) ε with signs ε, one draw per row and layer for a whole path.
    ///
    /// The signs of a row depend on the step's key and the row's place in the batch. The variance is
    /// 2 Σ S² over the entries off the diagonal of the Jacobian's symmetric part S.
    case estimated
  }

  private let transport, optimality, jacobian: Double
  private let trace: Trace
  private let isPerNumber: Bool

  /// Makes the objective from the weights of its costs.
  ///
  /// - Parameters:
  ///   - transport: the weight of ½ ∫ ‖v‖² dt.
  ///   - optimality: the weight of the Hamilton-Jacobi-Bellman equation's violation, for fields with a
  ///     potential.
  ///   - jacobian: the weight of ∫ ‖∂v/∂x‖² dt, or its estimate.
  ///   - isPerNumber: whether weights are divided by the number of numbers in a sample.
  /// - Precondition: no weight is negative.
  public init(
    transport: Double = 0, optimality: Double = 0, jacobian: Double = 0, trace: Trace = .exact,
    isPerNumber: Bool = false
  ) {
    require(
      transport >= 0 && optimality >= 0 && jacobian >= 0, "weights of costs are not negative")
    (self.transport, self.optimality, self.jacobian) = (transport, optimality, jacobian)
    (self.trace, self.isPerNumber) = (trace, isPerNumber)
  }

  public func losses(_ step: TrainingStep) throws -> RowLosses {
    let (x, context, mapping) = (
      try step.batch(for: "RegularizedLikelihood"), step.context, step.logPDF.mapping
    )
    try check(mapping)
    let share = isPerNumber ? 1 / Double(x.shape.sample.count) : 1
    let terms = [(PathCosts.transport, transport), (.optimality, optimality), (.jacobian, jacobian)]
      .filter { $0.1 > 0 }
    let costs = PathCosts(terms.map(\.0))
    let weights = Tensor(terms.map { $0.1 * share }, dtype: x.dtype)
    let (key, trace) = (step.key, trace)
    return { params, rows in
      var (request, layer) = (PathRequest(costs), 0)
      if trace == .estimated {
        request.noise = { layer, size in
          let first = rows.lowerBound * size
          return 2 * key.folded(in: layer).bernoulli([rows.count, size], dtype: x.dtype, from: first) - 1
        }
      }
      let results = try mapping.pathIntegrals(params, x[rows], context?[rows], request, layer: &layer)
      return terms.isEmpty ? -results.logDet : (results.costs * weights).sumPerRow() - results.logDet
    }
  }

  /// The mean exact negative log-likelihood as a function of the parameters.
  public func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    try MaximumLikelihood().value(step)
  }

  private func check(_ mapping: Mapping) throws(FlowError) {
    if !mapping.hasContinuousPart {
      throw .mismatch(
        who: "RegularizedLikelihood", what: "a flow", expected: "with a continuous layer, outside mixtures",
        got: mapping.name)
    }
    if mapping.hidesContinuousPart {
      throw .mismatch(
        who: "RegularizedLikelihood", what: "all continuous layers", expected: "outside mixtures",
        got: "one inside")
    }
    if optimality > 0 && !mapping.hasPotentials {
      throw .mismatch(
        who: "RegularizedLikelihood", what: "a field", expected: "with a potential", got: "one without")
    }
  }
}

extension Objective where Self == RegularizedLikelihood {
  /// The objective of OT-Flow, α₂ C + L + α₃ R with likelihood C, transport L and optimality R, divided by
  /// α₂: a loss in nats.
  ///
  /// - Precondition: α₂ is positive.
  public static func otFlow(likelihood alpha2: Double = 100, optimality alpha3: Double = 15) -> Self {
    require(alpha2 > 0, "the weight of the likelihood is positive, got \(alpha2)")
    return RegularizedLikelihood(transport: 1 / alpha2, optimality: alpha3 / alpha2)
  }

  /// The objective of RNODE: the estimated likelihood, λ₁ ∫ ‖v‖² dt / D and λ₂ ∫ ‖(∂v/∂x) ε‖² dt / D.
  public static func rnode(kinetic: Double = 0.01, jacobian: Double = 0.01) -> Self {
    RegularizedLikelihood(
      transport: 2 * kinetic, jacobian: jacobian, trace: .estimated, isPerNumber: true)
  }

  /// The objective of FFJORD: the likelihood with an estimated trace.
  public static var ffjord: Self { RegularizedLikelihood(trace: .estimated) }
}
