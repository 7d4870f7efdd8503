import Tensors

/// Scales steps down when the loss has stopped falling: the last link of a `Chain`.
///
/// `fit` tells it the validation loss after each epoch, or the training loss where nothing is held out. A
/// loss beats the lowest one so far, b, where it is below b − relative · |b| − absolute. After `patience`
/// losses that do not beat it, the scale, 1 at first, is multiplied by `factor`, not below `minimum`. The
/// next `cooldown` losses do not count.
///
/// State: `scale`, `best`, `plateau` (losses that count), `cooldown` (losses to go). Equal to
/// `optax.contrib.reduce_on_plateau` where the losses are positive. Below 0, its (1 − relative) · b lies
/// above b, so that a worse loss passes for a better one; here |b| is the size that counts.
public struct ReduceOnPlateau: Optimizer {
  private let factor, minimum: Double
  private let patience, cooldown: Int
  private let tolerance: (relative: Double, absolute: Double)

  /// A scale that follows the loss.
  ///
  /// - Precondition: a factor in 0..<1 and not 0, positive patience, tolerances and cooldown not negative.
  public init(
    factor: Double = 0.1, patience: Int = 10, relative: Double = 1e-4, absolute: Double = 0,
    cooldown: Int = 0, minimum: Double = 0
  ) {
    require(
      factor > 0 && factor < 1 && patience > 0 && relative >= 0 && absolute >= 0 && cooldown >= 0,
      "ReduceOnPlateau got factor \(factor), patience \(patience), relative \(relative), "
        + "absolute \(absolute), cooldown \(cooldown)")
    (self.factor, self.minimum, self.patience, self.cooldown) = (factor, minimum, patience, cooldown)
    tolerance = (relative, absolute)
  }

  /// Scale 1, nothing seen.
  public func initialize(_ params: Params) -> Params {
    state(1, best: .infinity, plateau: 0, cooldown: 0, params.learnedLeaves.first?.dtype ?? .float32)
  }

  /// The step, scaled.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    if let scale = state[path: "scale"]?.value, scale.isSymbolic {
      return (gradient.map { scale.reshaped(to: .scalar).cast(to: $0.dtype) * $0 }, state)
    }
    let scale = try numbers(state).scale.item
    return (gradient.map { scale * $0 }, state)
  }

  /// The state after a loss.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    var (oldScale, best, plateau, cooldownLeft) = try numbers(state)
    var scale = oldScale.item
    let isBetter =
      best.isInfinite ? loss < best : loss < best - tolerance.relative * abs(best) - tolerance.absolute
    if isBetter { best = loss }
    plateau = isBetter ? 0 : plateau + 1
    if cooldownLeft > 0 {
      (plateau, cooldownLeft) = (0, cooldownLeft - 1)
    } else if plateau >= patience {
      (scale, plateau, cooldownLeft) = (max(scale * factor, minimum), 0, cooldown)
    }
    return self.state(scale, best: best, plateau: plateau, cooldown: cooldownLeft, oldScale.dtype)
  }

  private func numbers(
    _ state: Params
  ) throws(FlowError) -> (scale: Tensor, best: Double, plateau: Int, cooldown: Int) {
    let who = "ReduceOnPlateau"
    return (
      try state.number("scale", who: who), try state.number("best", who: who).item,
      try state.stepCount("plateau", who: who), try state.stepCount("cooldown", who: who)
    )
  }

  private func state(
    _ scale: Double, best: Double, plateau: Int, cooldown: Int, _ dtype: DType
  ) -> Params {
    [
      "scale": .frozen(Tensor([scale], dtype: dtype)), "best": .frozen(Tensor([best], dtype: dtype)),
      "plateau": .steps(plateau), "cooldown": .steps(cooldown),
    ]
  }
}
