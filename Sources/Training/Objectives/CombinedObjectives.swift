import Distributions
import Randomness
import Tensors

/// A weighted sum of objectives. Each sees the same step with a key of its own.
public struct WeightedSum: Objective {
  private let terms: [(weight: Double, objective: any Objective)]

  /// Σ weight · objective. A term of weight 0 is not evaluated.
  ///
  /// - Precondition: at least one weight is not 0.
  public init(_ terms: (Double, any Objective)...) {
    require(terms.contains { $0.0 != 0 }, "a weighted sum needs a term whose weight is not 0")
    self.terms = terms.map { (weight: $0.0, objective: $0.1) }
  }

  /// Whether one of the terms has a prior.
  public var hasPrior: Bool { terms.contains { $0.objective.hasPrior } }

  /// The loss and its gradient.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    var total: LossAndGradient?
    for (i, term) in terms.enumerated() where term.weight != 0 {
      var own = step
      own.key = step.key.folded(in: i)
      let (value, gradient) = try term.objective.valueAndGradient(at: params, own)
      let part = (value: term.weight * value, gradient: term.weight * gradient)
      total = total.map { ($0.value + part.value, $0.gradient + part.gradient) } ?? part
    }
    return total!
  }
}

/// An objective whose target is raised to an inverse temperature that follows a schedule, 1 in the end.
///
/// A flat target at first lets a flow find modes that it would not leave for later.
public struct Annealed: Objective {
  private let objective: any Objective
  private let inverseTemperature: Schedule

  /// An objective and the schedule of the inverse temperature.
  public init(_ objective: any Objective, inverseTemperature: Schedule) {
    (self.objective, self.inverseTemperature) = (objective, inverseTemperature)
  }

  /// The loss and its gradient.
  public func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    var step = step
    step.target = try step.target(for: "Annealed").tempered(inverseTemperature(step.index))
    return try objective.valueAndGradient(at: params, step)
  }
}
