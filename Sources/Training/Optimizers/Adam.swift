import Tensors

/// Steps by running means of the gradient and its square, both corrected for their start at 0.
///
/// m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², step = −rate · m̂ / (√v̂ + ε), with m̂ = m / (1 − β₁ᵗ), v̂ = v
/// / (1 − β₂ᵗ).
///
/// State: `count`, `mean`, `square`. Kingma & Ba 2014, arXiv 1412.6980, algorithm 1. Equal to `optax.adam`.
public struct Adam: Optimizer {
  private let learningRate: Schedule
  private let decay: (mean: Double, square: Double)
  private let epsilon: Double
  private let weightDecay: Double

  /// Adam with the paper's constants.
  public init(learningRate: Schedule, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    self.init(learningRate, beta1, beta2, epsilon, weightDecay: 0)
  }

  fileprivate init(
    _ learningRate: Schedule, _ beta1: Double, _ beta2: Double, _ epsilon: Double, weightDecay: Double
  ) {
    self.learningRate = learningRate
    decay = (beta1, beta2)
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  /// Zero moments.
  public func initialize(_ params: Params) -> Params {
    let zeros = params.learned.filled(with: 0)
    return ["count": .steps(0), "mean": zeros, "square": zeros]
  }

  /// The step and the next moments.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    let count = try state.stepCount(who: "Adam")
    let (mean, square) = (try state.moments("mean", who: "Adam"), try state.moments("square", who: "Adam"))
    for tree in [gradient, mean, square] { try params.checkLearned(against: tree, who: "Adam") }
    let pass = AdamPass(
      rate: learningRate(count), decay: decay,
      correction: (1 / (1 - power(decay.mean, count + 1)), 1 / (1 - power(decay.square, count + 1))),
      epsilon: epsilon, weightDecay: weightDecay)
    let (g, m) = (gradient.learnedLeaves, mean.learnedLeaves)
    let (v, p) = (square.learnedLeaves, params.learnedLeaves)
    let results = mapLeaves(g) { pass(gradient: g[$0], mean: m[$0], square: v[$0], parameter: p[$0]) }
    return (
      gradient.replacingLearned(with: results.map(\.step)),
      [
        "count": .steps(count + 1), "mean": mean.replacingLearned(with: results.map(\.mean)),
        "square": square.replacingLearned(with: results.map(\.square)),
      ]
    )
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    pow(Tensor(base, dtype: .float64), Double(exponent)).item
  }
}

/// Adam with decay of the parameters beside the gradient's step: step = −rate · (m̂ / (√v̂ + ε) + decay ·
/// parameter).
///
/// State: as `Adam`. Loshchilov & Hutter 2017, arXiv 1711.05101, algorithm 2. Equal to `optax.adamw`.
public struct AdamW: Optimizer {
  private let adam: Adam

  /// Adam with decoupled weight decay.
  public init(
    learningRate: Schedule, weightDecay: Double = 1e-4, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8
  ) {
    adam = Adam(learningRate, beta1, beta2, epsilon, weightDecay: weightDecay)
  }

  /// Zero moments.
  public func initialize(_ params: Params) -> Params { adam.initialize(params) }

  /// The step and the next moments.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    try adam.transform(gradient, state, params)
  }
}
