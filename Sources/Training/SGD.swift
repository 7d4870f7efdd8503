/// Steps along the gradient, or along its running sum.
///
/// With momentum μ: trace ← g + μ · trace, step = −rate · trace, or −rate · (g + μ · trace) with Nesterov's look ahead.
///
/// State: `count`, and `trace` with momentum. Equal to `optax.sgd`.
public struct SGD: Optimizer {
  private let learningRate: Schedule
  private let momentum: Double
  private let isNesterov: Bool

  /// Gradient descent.
  public init(learningRate: Schedule, momentum: Double = 0, nesterov: Bool = false) {
    self.learningRate = learningRate
    self.momentum = momentum
    isNesterov = nesterov
  }

  /// A zero trace.
  public func initialize(_ params: Params) -> Params {
    let count = Params.frozen(Tensor(ints: [0]))
    return momentum == 0 ? ["count": count] : ["count": count, "trace": params.learned.filled(with: 0)]
  }

  /// The step and the next trace.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    let count = state["count"].ints[0]
    let rate = learningRate(count)
    let next = Params.frozen(Tensor(ints: [count + 1]))
    if momentum == 0 { return (gradient.map { -rate * $0 }, ["count": next]) }
    let trace = try state.child("trace").zip(with: gradient, who: "SGD") { $1 + momentum * $0 }
    let direction = isNesterov ? try gradient.zip(with: trace) { $0 + momentum * $1 } : trace
    return (direction.map { -rate * $0 }, ["count": next, "trace": trace])
  }
}
