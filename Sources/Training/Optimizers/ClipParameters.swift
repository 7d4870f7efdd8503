import Tensors

/// Keeps every learned number within bounds: the last link of a `Chain`.
///
/// step ← min(max(p + step, lowest), highest) − p. The bounds hold to the rounding of p + step. Numbers that
/// start outside come in with the first step.
///
/// No state. Equal to `optax.projections.projection_box` after each step.
public struct ClipParameters: Optimizer {
  private let bounds: ClosedRange<Double>

  /// Bounds for every learned number.
  public init(to bounds: ClosedRange<Double>) { self.bounds = bounds }

  /// No state.
  public func initialize(_ params: Params) -> Params { .empty }

  /// The step as far as the bounds.
  public func transform(_ gradient: Params, _ state: Params, _ params: Params) throws -> OptimizerStep {
    let step = try params.learned.combined(with: gradient, who: "ClipParameters") { p, step in
      minimum(maximum(p + step, bounds.lowerBound), bounds.upperBound) - p
    }
    return (step, state)
  }
}
