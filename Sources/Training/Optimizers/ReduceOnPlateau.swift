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
  private let factor: Double
  private let patience: Int
  private let tolerance: (relative: Double, absolute: Double)
  private let cooldown: Int
  private let minimum: Double

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
    self.factor = factor
    self.patience = patience
    tolerance = (relative, absolute)
    self.cooldown = cooldown
    self.minimum = minimum
  }

  /// Scale 1, nothing seen.
  public func initialize(_ params: Params) -> Params {
    let dtype = params.learnedLeaves.first?.dtype ?? .float32
    return ReduceOnPlateau.state(scale: 1, best: .infinity, plateau: 0, cooldown: 0, dtype: dtype)
  }

  /// The step, scaled.
  public func transform(
    _ gradient: Params, _ state: Params, _ params: Params
  ) throws -> (step: Params, state: Params) {
    let scale = try read(state).scale
    return (gradient.map { scale * $0 }, state)
  }

  /// The state after a loss.
  public func observing(_ loss: Double, _ state: Params) throws -> Params {
    var (scale, best, plateau, cooldownLeft, dtype) = try read(state)
    let isBetter =
      best.isInfinite ? loss < best : loss < best - tolerance.relative * abs(best) - tolerance.absolute
    if isBetter { best = loss }
    plateau = isBetter ? 0 : plateau + 1
    if cooldownLeft > 0 {
      (plateau, cooldownLeft) = (0, cooldownLeft - 1)
    } else if plateau >= patience {
      (scale, plateau, cooldownLeft) = (max(scale * factor, minimum), 0, cooldown)
    }
    return ReduceOnPlateau.state(
      scale: scale, best: best, plateau: plateau, cooldown: cooldownLeft, dtype: dtype)
  }

  private static func state(
    scale: Double, best: Double, plateau: Int, cooldown: Int, dtype: DType
  ) -> Params {
    [
      "scale": .frozen(Tensor([scale], dtype: dtype)), "best": .frozen(Tensor([best], dtype: dtype)),
      "plateau": .steps(plateau), "cooldown": .steps(cooldown),
    ]
  }

  private func read(_ state: Params) throws(FlowError) -> (
    scale: Double, best: Double, plateau: Int, cooldown: Int, dtype: DType
  ) {
    let (scale, best) = (
      try state.number("scale", who: "ReduceOnPlateau"), try state.number("best", who: "ReduceOnPlateau")
    )
    return (
      scale.item, best.item, try state.stepCount("plateau", who: "ReduceOnPlateau"),
      try state.stepCount("cooldown", who: "ReduceOnPlateau"), scale.dtype
    )
  }
}
