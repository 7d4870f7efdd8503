import Integration
import Tensors

/// The motion of a batch through a field. A row's state is its position, its log-det and its costs:
/// [x, l, costs], of D + 1 + k numbers. Between equal steps it also has their rates at its time,
/// [v, tr ∂v/∂x, costs' rates].
struct Motion: Sendable {
  let velocity: Velocity
  /// The number D of coordinates.
  let size: Int
  var costs: PathCosts = []
  /// The noise of an estimated trace, [rows, D]; nil: the trace is exact.
  var noise: Tensor?
  /// Whether the log-det is that of the steps that run, not the integral of the trace.
  var isDiscrete = false
  /// Whether a state has a log-det and costs, or is the position alone.
  var hasLogDet = true
  /// Whether steps are those of Dormand and Prince.
  let isAdaptive: Bool
  let keepsActivations: Bool

  /// The number of columns that the error of an adaptive step refers to.
  var columns: Int { choosesByPosition ? size : size + 1 }
  /// Whether steps are chosen on positions alone.
  var choosesByPosition: Bool { isDiscrete || !hasLogDet }

  /// Whether a state between steps has its rates.
  private var carriesRates: Bool { !choosesByPosition && !isAdaptive }
  /// The number of columns of a state without rates.
  private var width: Int { size + 1 + costs.inOrder.count }

  /// The states at the start, without rates.
  func start(_ x: Tensor) -> Tensor {
    if !hasLogDet { return x }
    return concatenate(x, .zeros([x.rows, width - size], dtype: x.dtype), axis: 1)
  }

  /// The states before a first step, at arguments whose only input is the positions.
  func begun(_ point: Arguments, _ times: StepTimes) -> Tensor {
    let x = point.inputs[0]
    if !carriesRates { return start(x) }
    let rates = rates(point.params, x, times.time(at: 0, x.dtype), point.context)
    return concatenate(start(x), rates, axis: 1)
  }

  /// Positions, log-dets and costs. A motion backwards in time has the costs of the motion forwards.
  func parts(_ state: Tensor) -> ContinuousPart.Results {
    (
      state.sliced(axis: 1, 0..<size), state.sliced(axis: 1, size..<size + 1).reshaped(to: [state.rows]),
      abs(state.sliced(axis: 1, size + 1..<width))
    )
  }

  /// The state after a step, at arguments whose only input is the state before.
  func advanced(_ point: Arguments, _ times: StepTimes) -> Tensor {
    let (state, context) = (point.inputs[0], point.context)
    if !hasLogDet { return moved(point.params, state, context, times) }
    if carriesRates { return integratedStep(point, times) }
    if !isDiscrete {
      return step(state, times) { rates(point.params, $0.sliced(axis: 1, 0..<size), $1, context) }
    }
    let (x, logDet, _) = parts(state)
    let (y, change) = discreteStep(point.params, x, context, times)
    return concatenate(y, (logDet + change).expanded(axis: 1), axis: 1)
  }

  /// A Runge-Kutta step of positions, with the integrals of the trace and the costs by Simpson's rule.
  ///
  /// Its middle lies on the cubic with the positions and velocities of both ends:
  /// (x₀ + x₁)/2 + h/8 (v₀ − v₁). So the integrals have order 4 as the positions have, with two traces per
  /// step. The rates of the end are those of the next step's start.
  private func integratedStep(_ point: Arguments, _ times: StepTimes) -> Tensor {
    let (state, params, context) = (point.inputs[0], point.params, point.context)
    let (dtype, h) = (state.dtype, times.length(state.dtype))
    let (x, before) = (state.sliced(axis: 1, 0..<size), state.sliced(axis: 1, width..<2 * width))
    func velocities(_ rates: Tensor) -> Tensor { rates.sliced(axis: 1, 0..<size) }
    func integrands(_ rates: Tensor) -> Tensor { rates.sliced(axis: 1, size..<width) }
    let y = rungeKutta4(
      { velocity.function(params, $0, $1, context) }, at: x, time: times.time(at: 0, dtype), step: h,
      first: velocities(before))
    let after = rates(params, y, times.time(at: 1, dtype), context)
    let middle = 0.5 * (x + y) + (0.125 * h) * (velocities(before) - velocities(after))
    let between = rates(params, middle, times.time(at: 0.5, dtype), context)
    let sum = integrands(before) + 4 * integrands(between) + integrands(after)
    let integrals = state.sliced(axis: 1, size..<width) + (h / 6) * sum
    return concatenate([y, integrals, after], axis: 1)
  }

  /// A step of positions alone.
  func moved(_ params: Params, _ x: Tensor, _ context: Tensor?, _ times: StepTimes) -> Tensor {
    step(x, times) { velocity.function(params, $0, $1, context) }
  }

  private func step(_ state: Tensor, _ times: StepTimes, _ slope: DormandPrince.Velocity) -> Tensor {
    if isAdaptive { return DormandPrince.step(slope, at: state, times) }
    let dtype = state.dtype
    return rungeKutta4(slope, at: state, time: times.time(at: 0, dtype), step: times.length(dtype))
  }

  /// A step of positions and log|det| of its Jacobian.
  private func discreteStep(
    _ params: Params, _ x: Tensor, _ context: Tensor?, _ times: StepTimes
  ) -> (outputs: Tensor, logDet: Tensor) {
    let columns = jacobianColumns(of: { moved(params, $0, context, times) }, at: x).columns
    let logDet =
      size == 1
      ? log(abs(columns[0])).reshaped(to: [x.rows])
      : Elimination(of: stack(columns, axis: 2), pivots: true).logAbsDeterminants
    return (moved(params, x, context, times), logDet)
  }

  /// The velocity of a state: v, the trace of ∂v/∂x, and the rates of the costs.
  func rates(_ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?) -> Tensor {
    let (v, trace, squares, timeSlope) = traced(params, x, time, context)
    let kinetic = 0.5 * square(v).sumPerRow()
    let rates = costs.inOrder.map { cost -> Tensor in
      switch cost {
      case .transport: kinetic
      case .optimality: abs((timeSlope ?? .zeros([x.rows], dtype: x.dtype)) - kinetic)
      default: squares ?? .zeros([x.rows], dtype: x.dtype)
      }
    }
    return concatenate([v] + ([trace] + rates).map { $0.expanded(axis: 1) }, axis: 1)
  }

  /// The velocity, the trace or its estimate, ‖∂v/∂x‖² or its estimate if wanted, and a potential's slope.
  private func traced(
    _ params: Params, _ x: Tensor, _ time: Tensor, _ context: Tensor?
  ) -> (velocity: Tensor, trace: Tensor, squares: Tensor?, timeSlope: Tensor?) {
    if let noise {
      let (v, product) = jvp(at: x, along: noise) { velocity.function(params, $0, time, context) }
      let slope =
        costs.contains(.optimality) ? velocity.traced(params, x, time, context).timeSlope : nil
      return (v, (noise * product).sumPerRow(), square(product).sumPerRow(), slope)
    }
    if !costs.contains(.jacobian) {
      let result = velocity.traced(params, x, time, context)
      return (result.velocity, result.trace, nil, result.timeSlope)
    }
    let (v, columns) = velocity.jacobian(params, x, time, context)
    let squares = columns.dropFirst().reduce(square(columns[0])) { $0 + square($1) }.sumPerRow()
    let slope = velocity.hasPotential ? velocity.traced(params, x, time, context).timeSlope : nil
    return (v, Velocity.trace(columns), squares, slope)
  }

  /// The same motion of some rows.
  func at(_ rows: [Int]) -> Motion {
    var motion = self
    motion.noise = noise?.rows(rows)
    return motion
  }
}
