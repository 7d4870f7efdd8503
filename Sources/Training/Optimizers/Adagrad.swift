import Tensors

/// Steps along the gradient divided by the root of the sum of all its squares so far.
///
/// v ← v + g², step = −rate · g / √(v + ε), and 0 where v is 0.
///
/// State: `count`, `square`. Duchi, Hazan & Singer 2011, *Adaptive subgradient methods*. Equal to
/// `optax.adagrad`.
public struct Adagrad: Optimizer {
  private let learningRate: Schedule
  private let initial, epsilon: Double

  /// Adagrad whose sums start at `initial`.
  public init(learningRate: Schedule, initial: Double = 0.1, epsilon: Double = 1e-7) {
    (self.learningRate, self.initial, self.epsilon) = (learningRate, initial, epsilon)
  }

  /// Sums of `initial`.
  public func initialize(_ params: Params) -> Params {
    ["count": .steps(0), "square": params.learned.filled(with: initial)]
  }

  /// The step and the next sums.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let count = try state.steps(who: "Adagrad")
    let rate = learningRate(count, params)
    let square = try state.moments("square", who: "Adagrad").combined(with: gradient, who: "Adagrad") {
      $0 + Tensors.square($1)
    }
    let step = try gradient.zip(with: square) { g, v in
      let isPositive = v .> 0
      return select(where: isPositive, -rate * g / sqrt(select(where: isPositive, v, 1) + epsilon), 0)
    }
    return (step, ["count": count.next, "square": square])
  }
}
