import Tensors

/// Keeps a running mean of the parameters beside an optimizer's steps; `fit` judges and returns the mean.
///
/// m ← decay · m + (1 − decay) · p after each step, from 0; the mean is m / (1 − decayᵗ), a weighted mean of
/// p₁ ... p_t. Frozen leaves, running statistics too, are those of the latest parameters. The outermost
/// optimizer, or the last of a `Chain`: it averages what `params + step` will be.
///
/// State: `count`, `average`, and the inner `optimizer`. Polyak & Juditsky 1992, *Acceleration of stochastic
/// approximation by averaging*, with the decay of Adam's moments. Equal to `optax.ema` of the parameters.
public struct MovingAverage: Optimizer {
  private let optimizer: any Optimizer
  private let decay: Double

  /// An optimizer whose parameters are averaged over some 1 / (1 − decay) steps.
  ///
  /// - Precondition: a decay in 0..<1.
  public init(_ optimizer: any Optimizer, decay: Double = 0.999) {
    require((0..<1).contains(decay), "MovingAverage needs a decay in 0..<1, got \(decay)")
    (self.optimizer, self.decay) = (optimizer, decay)
  }

  /// Nothing averaged.
  public func initialize(_ params: Params) -> Params {
    [
      "count": .steps(0), "average": params.learned.filled(with: 0),
      "optimizer": optimizer.initialize(params),
    ]
  }

  /// The inner step, and the mean with the parameters that it leads to.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let count = try state.steps(who: "MovingAverage")
    let (step, next) = try optimizer.transform(
      gradient, state.moments("optimizer", who: "MovingAverage"), params)
    let moved = try params.learned.combined(with: step, who: "MovingAverage") { $0 + $1 }
    let previous = try state.moments("average", who: "MovingAverage")
    let average = try moved.combined(with: previous, who: "MovingAverage") { (1 - decay) * $0 + decay * $1 }
    return (step, ["count": count.next, "average": average, "optimizer": next])
  }

  /// Tells the inner optimizer.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    let inner = try state.moments("optimizer", who: "MovingAverage")
    return try state.replacing("optimizer", by: optimizer.observing(loss, inner))
  }

  /// The mean; before the first step, the parameters.
  public func evaluationParams(_ state: Params, _ params: Params) throws -> Params {
    let count = try state.stepCount(who: "MovingAverage")
    let average = try state.moments("average", who: "MovingAverage")
    if count == 0 { return params }
    // 1 − decayᵗ without cancellation where the decay is close to 1.
    let weight = -expm1(Double(count) * log(Tensor(decay, dtype: .float64))).item
    return try params.combined(with: average, who: "MovingAverage") { $1 / weight }
  }
}
