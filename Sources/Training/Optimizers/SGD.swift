import Tensors

/// Steps along the gradient, or along its running sum.
///
/// With momentum μ: trace ← g + μ · trace, step = −rate · trace, or −rate · (g + μ · trace) with Nesterov's
/// look ahead.
///
/// State: `count`, and `trace` with momentum. Equal to `optax.sgd`.
public struct SGD: Optimizer {
  private let learningRate: Schedule
  private let momentum: Double
  private let isNesterov: Bool

  /// Gradient descent.
  public init(learningRate: Schedule, momentum: Double = 0, nesterov: Bool = false) {
    (self.learningRate, self.momentum, isNesterov) = (learningRate, momentum, nesterov)
  }

  /// A zero trace.
  public func initialize(_ params: Params) -> Params {
    momentum == 0 ? ["count": .steps(0)] : ["count": .steps(0), "trace": params.learned.filled(with: 0)]
  }

  /// The step and the next trace.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let count = try state.steps(who: "SGD")
    let rate = learningRate(count, params)
    if momentum == 0 { return (gradient.map { -rate * $0 }, ["count": count.next]) }
    let trace = try state.moments("trace", who: "SGD").combined(with: gradient, who: "SGD") {
      $1 + momentum * $0
    }
    let direction = isNesterov ? try gradient.zip(with: trace) { $0 + momentum * $1 } : trace
    return (direction.map { -rate * $0 }, ["count": count.next, "trace": trace])
  }
}
