import Tensors

/// Steps along the gradient divided by the root of its running mean square.
///
/// v ← decay · v + (1 − decay) · g², step = −rate · g / √(v + ε).
///
/// State: `count`, `square`. Tieleman & Hinton 2012, lecture 6.5 of *Neural networks for machine learning*.
/// Equal to `optax.rmsprop`.
public struct RMSProp: Optimizer {
  private let learningRate: Schedule
  private let decay, epsilon: Double

  /// RMSProp without momentum.
  public init(learningRate: Schedule, decay: Double = 0.9, epsilon: Double = 1e-8) {
    (self.learningRate, self.decay, self.epsilon) = (learningRate, decay, epsilon)
  }

  /// A zero mean square.
  public func initialize(_ params: Params) -> Params {
    ["count": .steps(0), "square": params.learned.filled(with: 0)]
  }

  /// The step and the next mean square.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let count = try state.steps(who: "RMSProp")
    let rate = learningRate(count, params)
    let square = try state.moments("square", who: "RMSProp").combined(with: gradient, who: "RMSProp") {
      decay * $0 + (1 - decay) * Tensors.square($1)
    }
    let step = try gradient.zip(with: square) { -rate * $0 / sqrt($1 + epsilon) }
    return (step, ["count": count.next, "square": square])
  }
}
