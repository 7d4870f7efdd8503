import Tensors

/// Newton's iteration kept inside a bracket, for all elements at once, on values.
///
/// Each step moves one end of an element's bracket to where the function was evaluated. The next point is
/// Newton's where that lies inside the bracket and the step is at most half of the one before the last, the
/// middle elsewhere: so the steps shrink at least as those of bisection do. An element stops when its value
/// is met or its point does not move any more, and stays as it is: its bits do not depend on the others.
///
/// Press, Teukolsky, Vetterling & Flannery, *Numerical Recipes*, section 9.4 (`rtsafe`).
struct MonotoneSolver {
  /// f and its derivative.
  let function: (_ x: Tensor) -> (value: Tensor, slope: Tensor)

  /// Bisection from the widest bracket to neighbouring floats takes 2 · 64 steps at ordinary magnitudes.
  private static let limit = 200

  /// x in [lower, upper] with f(x) = y.
  func solve(_ y: Tensor, _ lower: Tensor, _ upper: Tensor) -> Tensor {
    var (lower, upper) = (lower, upper)
    var x = lower + 0.5 * (upper - lower)
    var (step, stepBefore) = (upper - lower, upper - lower)
    var isOpen = Tensor.ones(y.shape, dtype: y.dtype)
    var isNumber = isOpen
    for _ in 0..<Self.limit {
      let (value, slope) = function(x)
      let excess = value - y
      isNumber = excess .== excess
      lower = select(where: excess .< 0, x, lower)
      upper = select(where: excess .> 0, x, upper)
      let newton = x - excess / slope
      let isGood = (newton .> lower) * (newton .< upper) * (2 * abs(newton - x) .<= abs(stepBefore))
      let next = select(where: isGood, newton, lower + 0.5 * (upper - lower))
      isOpen = isOpen * (excess .!= 0) * (next .!= x)
      (stepBefore, step) = (step, next - x)
      x = select(where: isOpen, next, x)
      if isOpen.doubles.allSatisfy({ $0 == 0 }) { break }
    }
    return select(where: isNumber, x, .nan)
  }

  /// The same without a bracket: y ± 1, doubled until it holds x.
  func solve(_ y: Tensor) -> Tensor {
    var (lower, upper, width) = (y - 1, y + 1, 1.0)
    for _ in 0..<Self.limit {
      let isHigh = function(lower).value .> y
      let isLow = function(upper).value .< y
      if (isHigh + isLow).doubles.allSatisfy({ $0 == 0 }) { break }
      width *= 2
      lower = select(where: isHigh, y - width, lower)
      upper = select(where: isLow, y + width, upper)
    }
    return solve(y, lower, upper)
  }
}
