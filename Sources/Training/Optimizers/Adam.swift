import CKernels
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
  fileprivate var weightDecay = 0.0
  fileprivate var decayed = DecayedParameters.all

  /// Adam with the paper's constants.
  public init(learningRate: Schedule, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8) {
    (self.learningRate, decay, self.epsilon) = (learningRate, (beta1, beta2), epsilon)
  }

  /// Zero moments.
  public func initialize(_ params: Params) -> Params {
    let zeros = params.learned.filled(with: 0)
    return ["count": .steps(0), "mean": zeros, "square": zeros]
  }

  /// The step and the next moments.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let count = try state.steps(who: "Adam")
    guard case .known(let done) = count else { return try traced(gradient, count, state, params) }
    let next = try next(gradient, done, state, params, moves: false)
    return (gradient.replacingLearned(with: next.leaves), next.state)
  }

  /// The parameters after the step and the next moments, in one pass over them.
  public func update(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    params: Params, state: Params
  ) {
    guard case .known(let count) = try state.steps(who: "Adam") else {
      return try addingStep(gradient, state, params)
    }
    let next = try next(gradient, count, state, params, moves: true)
    return (params.replacingLearned(with: next.leaves), next.state)
  }

  /// The leaves of the step, or those of the moved parameters, and the next moments.
  private func next(
    _ gradient: Params, _ count: Int, _ state: Params, _ params: Params, moves: Bool
  ) throws -> (leaves: [Tensor], state: Params) {
    let (mean, square) = (try state.moments("mean", who: "Adam"), try state.moments("square", who: "Adam"))
    func startCorrection(_ decay: Double) -> Double {
      1 / (1 - pow(Tensor(decay, dtype: .float64), Double(count + 1)).item)
    }
    func pass(decay weightDecay: Double) -> AdamPass {
      AdamPass(
        rate: learningRate(count), mean_decay: decay.mean, square_decay: decay.square,
        mean_scale: startCorrection(decay.mean), square_scale: startCorrection(decay.square),
        epsilon: epsilon, weight_decay: weightDecay)
    }
    let (decaying, plain) = (pass(decay: weightDecay), pass(decay: 0))
    let g = try gradient.leaves(learnedIn: params, who: "Adam")
    let m = try mean.leaves(learnedIn: params, who: "Adam")
    let v = try square.leaves(learnedIn: params, who: "Adam")
    let p = params.learnedLeaves
    let results = mapLeaves(g) { i in
      let pass = decayed == .all || p[i].rank > 1 ? decaying : plain
      return pass(gradient: g[i], mean: m[i], square: v[i], parameter: p[i], moves: moves)
    }
    return (
      results.map(\.result),
      [
        "count": .steps(count + 1), "mean": mean.replacingLearned(with: results.map(\.mean)),
        "square": square.replacingLearned(with: results.map(\.square)),
      ]
    )
  }

  /// The step and the next moments as operations of a graph.
  private func traced(
    _ gradient: Params, _ count: StepCount, _ state: Params, _ params: Params
  ) throws -> OptimizerStep {
    let (mean, square) = (try state.moments("mean", who: "Adam"), try state.moments("square", who: "Adam"))
    let rate = learningRate(count, params)
    let parts = zip(
      zip(try gradient.leaves(learnedIn: params, who: "Adam"), params.learnedLeaves),
      zip(
        try mean.leaves(learnedIn: params, who: "Adam"), try square.leaves(learnedIn: params, who: "Adam")))
    var leaves: (step: [Tensor], mean: [Tensor], square: [Tensor]) = ([], [], [])
    for ((g, p), (m, v)) in parts {
      // 1 / (1 − βᵗ) = −1 / (e^(t log β) − 1), which does not cancel where β is close to 1.
      func startCorrection(_ decay: Double) -> Tensor {
        -1 / expm1(log(Tensor(decay, dtype: .float64)).item * count.plusOne(in: g))
      }
      let nextMean = decay.mean * m + (1 - decay.mean) * g
      let nextSquare = decay.square * v + (1 - decay.square) * (g * g)
      var step =
        nextMean * startCorrection(decay.mean)
        / (sqrt(nextSquare * startCorrection(decay.square)) + epsilon)
      if weightDecay != 0, decayed == .all || p.rank > 1 { step = step + weightDecay * p }
      leaves.step.append(-rate * step)
      leaves.mean.append(nextMean)
      leaves.square.append(nextSquare)
    }
    return (
      gradient.replacingLearned(with: leaves.step),
      [
        "count": count.next, "mean": mean.replacingLearned(with: leaves.mean),
        "square": square.replacingLearned(with: leaves.square),
      ]
    )
  }
}

/// Adam with decay of the parameters beside the gradient's step: step = −rate · (m̂ / (√v̂ + ε) + decay ·
/// parameter).
///
/// State: as `Adam`. Loshchilov & Hutter 2017, arXiv 1711.05101, algorithm 2. Equal to `optax.adamw`.
public struct AdamW: Optimizer {
  private var adam: Adam

  /// Adam with decoupled weight decay.
  ///
  /// - Parameter decayed: The parameters that decay, by default all of them.
  public init(
    learningRate: Schedule, weightDecay: Double = 1e-4, decayed: DecayedParameters = .all,
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8
  ) {
    adam = Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    (adam.weightDecay, adam.decayed) = (weightDecay, decayed)
  }

  /// Zero moments.
  public func initialize(_ params: Params) -> Params { adam.initialize(params) }

  /// The step and the next moments.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    try adam.transform(gradient, state, params)
  }

  /// The parameters after the step and the next moments, in one pass over them.
  public func update(_ gradient: Params, _ state: Params, _ params: Params) throws -> (
    params: Params, state: Params
  ) {
    try adam.update(gradient, state, params)
  }
}

/// The parameters that a weight decay shrinks.
public enum DecayedParameters: Sendable, Hashable {
  /// All learned parameters.
  case all
  /// The leaves with two axes or more, such as the weights of networks. Biases, scales and locations keep
  /// their values.
  case matrices
}
