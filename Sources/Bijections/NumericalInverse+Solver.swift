import Tensors

/// Newton's method within a bracket, for all elements at once, on values.
///
/// Each step moves one end of an element's bracket to the point of the last evaluation. The next point is
/// Newton's if it lies inside the bracket and the step is at most half of the last but one. Otherwise it is
/// the middle of the bracket, so steps shrink at least as fast as in bisection.
///
/// An element stops when its value is met or its point no longer moves. It then stays unchanged, so its bits
/// do not depend on the other elements.
///
/// Press, Teukolsky, Vetterling & Flannery, *Numerical Recipes*, section 9.4 (`rtsafe`).
struct MonotoneSolver {
  /// f and its derivative.
  let function: (_ x: Tensor) -> (value: Tensor, slope: Tensor)

  /// The largest number of steps. Bisection from the widest bracket to adjacent floats takes at most 128 at
  /// ordinary magnitudes.
  private static let limit = 200

  /// Solves f(x) = y for x in [lower, upper].
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

  /// Solves f(x) = y without a bracket: the interval y ± 1 is doubled until it contains x.
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
