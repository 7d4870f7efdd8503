import Tensors

/// The explicit Runge-Kutta pair of Dormand and Prince, of orders 5 and 4.
///
/// The last stage is the velocity at the end of the step, which serves as the first stage of the next one.
/// Dormand & Prince 1980, *A family of embedded Runge-Kutta formulae*, table 2, RK5(4)7M.
package enum DormandPrince {
  /// The velocity at a state and a time.
  package typealias Velocity = (_ state: Tensor, _ time: Tensor) -> Tensor

  static let nodes: [Double] = [0, 1.0 / 5, 3.0 / 10, 4.0 / 5, 8.0 / 9, 1, 1]
  /// The weights of earlier stages in the states of later ones. The last row gives the end of the step.
  static let stages: [[Double]] = [
    [],
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]
  /// The weights of the solution of order 4.
  static let lowerOrder: [Double] = [
    5179.0 / 57600, 0, 7571.0 / 16695, 393.0 / 640, -92097.0 / 339200, 187.0 / 2100, 1.0 / 40,
  ]

  /// The end of a step, without an error estimate.
  package static func step(_ velocity: Velocity, at state: Tensor, _ times: StepTimes) -> Tensor {
    let length = times.length(state.dtype)
    var slopes = [velocity(state, times.time(at: 0, state.dtype))]
    for i in 1..<6 {
      let point = state + length * combined(slopes, stages[i])
      slopes.append(velocity(point, times.time(at: nodes[i], state.dtype)))
    }
    return state + length * combined(slopes, stages[6])
  }

  /// The end of a step, the velocity there, and the difference between the two orders. `first` is the
  /// velocity at the start.
  package static func estimatedStep(
    _ velocity: Velocity, at state: Tensor, first: Tensor, _ times: StepTimes
  ) -> (end: Tensor, last: Tensor, error: Tensor) {
    let length = times.length(state.dtype)
    var (slopes, end) = ([first], state)
    for i in 1..<7 {
      end = state + length * combined(slopes, stages[i])
      slopes.append(velocity(end, times.time(at: nodes[i], state.dtype)))
    }
    let weights = zip(stages[6] + [0], lowerOrder).map { $0 - $1 }
    return (end, slopes[6], length * combined(slopes, weights))
  }

  private static func combined(_ slopes: [Tensor], _ weights: [Double]) -> Tensor {
    var total: Tensor?
    for (slope, weight) in zip(slopes, weights) where weight != 0 {
      total = sum(total, weight * slope)
    }
    return total!
  }
}
