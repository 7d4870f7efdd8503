import Tensors

/// Gathers the gradients of several batches into one step: large batches in little memory.
///
/// The mean of `count` gradients, a ← a + (g − a) / (i + 1), goes to the inner optimizer with the last of
/// them; the steps before are 0. Batches count alike, whatever their rows. Schedules count the inner
/// optimizer's steps.
///
/// State: `count` of the gradients gathered, their mean `gradient`, and the inner `optimizer`. Equal to
/// `optax.MultiSteps`.
public struct MultiSteps: Optimizer {
  private let optimizer: any Optimizer
  private let count: Int

  /// An optimizer that moves with every `count`th gradient.
  ///
  /// - Precondition: `count` is positive.
  public init(_ optimizer: any Optimizer, every count: Int) {
    require(count > 0, "MultiSteps gathers at least one gradient, got \(count)")
    (self.optimizer, self.count) = (optimizer, count)
  }

  /// Nothing gathered.
  public func initialize(_ params: Params) -> Params {
    [
      "count": .steps(0), "gradient": params.learned.filled(with: 0),
      "optimizer": optimizer.initialize(params),
    ]
  }

  /// The inner step with the last gradient of a group, 0 before.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let steps = try state.steps(who: "MultiSteps")
    let inner = try state.moments("optimizer", who: "MultiSteps")
    let sum = try state.moments("gradient", who: "MultiSteps")
    try params.checkLearned(against: sum, who: "MultiSteps")
    let mean = try sum.combined(with: gradient, who: "MultiSteps") { $0 + ($1 - $0) / steps.plusOne(in: $0) }
    let zeros = gradient.filled(with: 0)
    guard case .known(let gathered) = steps else {
      // Both cases are computed, and one is chosen.
      let (step, next) = try optimizer.transform(mean, inner, params)
      let isLast = steps.isDue(every: count)
      return (
        isLast.choose(step, zeros),
        [
          "count": isLast.choose(.steps(0), steps.next), "gradient": isLast.choose(zeros, mean),
          "optimizer": isLast.choose(next, inner),
        ]
      )
    }
    if gathered + 1 < count {
      return (zeros, ["count": .steps(gathered + 1), "gradient": mean, "optimizer": inner])
    }
    let (step, next) = try optimizer.transform(mean, inner, params)
    return (step, ["count": .steps(0), "gradient": zeros, "optimizer": next])
  }

  /// Tells the inner optimizer.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    let inner = try state.moments("optimizer", who: "MultiSteps")
    return try state.replacing("optimizer", by: optimizer.observing(loss, inner))
  }

  /// The parameters that the inner optimizer chooses.
  public func evaluationParams(_ state: Params, _ params: Params) throws -> Params {
    try optimizer.evaluationParams(state.moments("optimizer", who: "MultiSteps"), params)
  }
}
