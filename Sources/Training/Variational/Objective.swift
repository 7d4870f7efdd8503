import Bijections
import Distributions
import Randomness
import Tensors

/// What a flow is fitted to a target by: a value that gives a loss and its gradient.
///
/// Objectives use keys and shards as the rest of the library does: the same key gives the same bits, for any number of
/// threads.
public protocol Objective: Sendable {
  /// The loss in nats at the parameters and its gradient, which has the structure of their `learned`.
  func valueAndGradient(at params: Params, _ step: VariationalStep) throws -> (
    value: Tensor, gradient: Params
  )
}

/// What an objective works with in one step.
public struct VariationalStep: Sendable {
  /// The flow's log-density.
  public var logPDF: LogPDF
  /// The flow's sampler.
  public var sample: Sampler
  /// What the flow is fitted to.
  public var target: Target
  /// What the step's draws come from.
  public var key: Key
  /// Steps done before this one.
  public var index: Int
  /// The dtype of parameters and draws.
  public var dtype: DType { logPDF.boundary.dtype }

  /// A step.
  public init(logPDF: LogPDF, sample: Sampler, target: Target, key: Key, index: Int) {
    self.logPDF = logPDF
    self.sample = sample
    self.target = target
    self.key = key
    self.index = index
  }

  /// The same step with a key of its own for part i.
  func part(_ i: Int) -> VariationalStep {
    var step = self
    step.key = key.folded(in: i)
    return step
  }
}

/// How a loss that is an expectation over a flow's draws is differentiated. All are unbiased but for the bound's own bias.
public enum GradientEstimator: Sendable, Hashable {
  /// Through the draws and through the density's parameters: one pass in the direction of sampling.
  case pathwise
  /// Through the draws alone, the term that has mean 0 left out (sticking the landing) or rewritten (doubly reparameterized):
  /// no variance where the flow is exact. It takes the density of the draws, a pass in the other direction, and needs a smooth
  /// one: the score of a spline flow far from its target jumps from bin to bin, and the variance with it.
  case doublyReparameterized
}

/// Objectives added with weights.
///
/// Each sees the same step with a key of its own.
public struct WeightedSum: Objective {
  private let terms: [(weight: Double, objective: any Objective)]

  /// Σ weight · objective.
  ///
  /// - Precondition: at least one.
  public init(_ terms: (Double, any Objective)...) {
    require(!terms.isEmpty, "a weighted sum needs a term")
    self.terms = terms.map { (weight: $0.0, objective: $0.1) }
  }

  /// The loss and its gradient.
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    var total: (value: Tensor, gradient: Params)?
    for (i, term) in terms.enumerated() {
      let (value, gradient) = try term.objective.valueAndGradient(at: params, step.part(i))
      let part = (value: term.weight * value, gradient: gradient.map { term.weight * $0 })
      if let sum = total {
        total = (sum.value + part.value, try sum.gradient.zip(with: part.gradient) { $0 + $1 })
      } else {
        total = part
      }
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
  public func valueAndGradient(
    at params: Params, _ step: VariationalStep
  ) throws -> (value: Tensor, gradient: Params) {
    var step = step
    step.target = step.target.tempered(inverseTemperature(step.index))
    return try objective.valueAndGradient(at: params, step)
  }
}
