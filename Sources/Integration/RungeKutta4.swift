import Tensors

/// One step of the classical fourth-order Runge-Kutta method for x' = velocity(x, t).
///
/// k₁ = v(x, t), k₂ = v(x + h/2 k₁, t + h/2), k₃ = v(x + h/2 k₂, t + h/2), k₄ = v(x + h k₃, t + h), and
/// the result is x + h/6 (k₁ + 2k₂ + 2k₃ + k₄). Four evaluations. The step is an ordinary differentiable
/// function of x and of all that the velocity depends on.
///
/// - Parameters:
///   - velocity: a function of the state and of the time. It gets the time in the shape of `time`.
///   - x: the state at the start of the step.
///   - time: the time at the start: a scalar, or a tensor that broadcasts against x, such as `[rows, 1]`.
///   - step: the length h of the step, negative to go backwards. It has the shape of `time`.
///   - first: k₁, if it is known; nil: it is evaluated.
public func rungeKutta4<Failure>(
  _ velocity: (_ x: Tensor, _ time: Tensor) throws(Failure) -> Tensor, at x: Tensor, time: Tensor,
  step: Tensor, first: Tensor? = nil
) throws(Failure) -> Tensor {
  let half = 0.5 * step
  let middle = time + half
  let k1 = if let first { first } else { try velocity(x, time) }
  let k2 = try velocity(x + half * k1, middle)
  let k3 = try velocity(x + half * k2, middle)
  let k4 = try velocity(x + step * k3, time + step)
  return x + (step / 6) * (k1 + 2 * k2 + 2 * k3 + k4)
}

/// One step of the classical fourth-order Runge-Kutta method from one time and by one length for all rows.
public func rungeKutta4<Failure>(
  _ velocity: (_ x: Tensor, _ time: Tensor) throws(Failure) -> Tensor, at x: Tensor, time: Double,
  step: Double
) throws(Failure) -> Tensor {
  try rungeKutta4(
    velocity, at: x, time: Tensor(time, dtype: x.dtype), step: Tensor(step, dtype: x.dtype))
}
