import Bijections
import Distributions
import Tensors

/// A flow that a selection tries.
public struct Candidate: Sendable {
  /// The name in reports.
  public let name: String
  /// The flow, which judges held-out rows.
  public let flow: Flow
  /// The flow to train, with the same parameter tree, such as one with fewer steps of a solver. Nil: `flow`.
  public let training: Flow?
  /// The objective of the training steps. Nil: maximum likelihood.
  public let objective: (any Objective)?
  /// The strength of its weight decay; nil for that of the settings.
  public let weightDecay: Double?
  /// The learning rate of its first step; nil for that of the settings.
  public let learningRate: Double?

  /// A flow under a name.
  ///
  /// Held-out rows are judged by the exact likelihood, whatever the objective, so that candidates compare.
  public init(
    _ name: String, _ flow: Flow, training: Flow? = nil, objective: (any Objective)? = nil,
    weightDecay: Double? = nil, learningRate: Double? = nil
  ) {
    (self.name, self.flow, self.training) = (name, flow, training)
    (self.objective, self.weightDecay, self.learningRate) = (objective, weightDecay, learningRate)
  }

  /// The objective of a fit.
  var fitObjective: any Objective {
    objective.map(LikelihoodJudged.init) ?? .maximumLikelihood
  }
}

/// An objective whose held-out rows are judged by the exact likelihood.
private struct LikelihoodJudged: Objective {
  let objective: any Objective

  func valueAndGradient(at params: Params, _ step: TrainingStep) throws -> LossAndGradient {
    try objective.valueAndGradient(at: params, step)
  }

  func value(_ step: TrainingStep) throws -> (_ params: Params) throws -> Tensor {
    try MaximumLikelihood().value(step)
  }
}

/// The report of a candidate that a selection tried.
public struct Trial: Sendable, Hashable {
  /// The candidate's name.
  public let name: String
  /// The loss of the held-out rows, each under the fit that did not see it, in nats per row. Infinity for a
  /// fit that diverged, and where nothing was held out.
  public internal(set) var validationLoss: Double
  /// The number of fits.
  public let folds: Int
  /// The steps of all fits.
  public let steps: Int
  /// Whether a fit diverged.
  public let hasDiverged: Bool
  /// The weight that the selection gave the candidate: 0 for one that is left out.
  public internal(set) var weight = 0.0
}
