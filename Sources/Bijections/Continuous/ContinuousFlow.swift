import Integration
import Randomness
import Tensors

/// A continuous flow: the motion along a velocity field, from time 0, the data, to time 1, the latents.
///
/// Map: y = x(1) with x′ = v(x, t) and x(0) = x, as a solver computes it.
///
/// log|det J|: with `.trace` the integral of tr ∂v/∂x along the path, to the solver's order. It differs from
/// the Jacobian of the steps that run by the solver's error: fourth order in the step for equal steps. With
/// `.discrete` it is log|det| of the steps that run, exact for equal steps of any size, at D Jacobian-vector
/// products per step and O(D³). Adaptive steps depend on the row, which no log-det sees. By default it is
/// discrete for equal steps of one number, and of up to 4 numbers if the field has no potential; otherwise
/// `.trace`.
///
/// Inverse: the motion from time 1 back to 0, with its own log-det. It undoes the forward direction up to the
/// solver's error. For a field of moderate size (log-dets about −3), forward then inverse misses by 10⁻² at 4
/// equal steps, 3·10⁻⁴ at 8, 10⁻⁵ at 16 and 3·10⁻⁷ at 32. The two log-dets miss by 4·10⁻³, 10⁻⁴, 3·10⁻⁶ and
/// 10⁻⁷. With `exactInverse` each step is inverted to rounding instead, and the log-det is minus that of the
/// forward direction. `diagnosis` reports the errors of a model. Steps that are too long for the field need
/// not be invertible at all; their round trip fails.
///
/// Cost, both ways: 5 evaluations of the field per equal step, 2 of them with the trace, and 1 with it at
/// the start. Positions alone take 4 per step. Adaptive steps take 6, and 2 at the start. `exactInverse`
/// takes some dozen evaluations per step, and D more in derivatives.
///
/// Rows do not depend on each other, to the bit, in adaptive solves too: every row has steps of its own. A
/// row that leaves the finite numbers, or needs more steps than allowed, becomes NaN; `.throw` makes an error
/// of it. Steps are constants to derivatives. A reverse pass keeps one state per step and computes each step
/// again: 4/3 of the time, and the same bits as with `keepsActivations`. Adaptive steps are found on values
/// first, which adds one solve. With `.trace` the error of the log-det counts in their choice.
///
/// `Reversible` recovers inputs by the inverse, so its gradients have the inverse's error without
/// `exactInverse`.
///
/// Parameters: those of the field. The solver is no parameter: train with few steps, and judge the same tree
/// with more.
///
/// Domain: all reals. Errors: those of the field; `mismatch` for no steps or more than a million, for a
/// tolerance beyond the dtype, and for an exact inverse of adaptive steps.
///
/// Chen et al. 2018, *Neural ordinary differential equations*, arXiv 1806.07366, section 4 and theorem 1;
/// Grathwohl et al. 2018, *FFJORD*, arXiv 1810.01367.
public struct ContinuousFlow: Bijection {
  /// A way to compute log-dets.
  public enum LogDet: Sendable, Hashable {
    /// The integral of the trace along the path.
    case trace
    /// log|det| of the Jacobian of the steps that run.
    case discrete
  }

  /// The outcome for a row without a solution.
  public enum Failure: Sendable, Hashable {
    /// The row's results are NaN.
    case nan
    /// The call throws `FlowError.notFinite`, unless the row's input or context is not finite already. The
    /// error names the first such row, the time that it reached and its last step.
    case `throw`
  }

  /// The velocity field.
  public let field: any VelocityField
  /// The solver of both directions.
  public let solver: Solver
  /// The way to compute log-dets; nil: by the size of a sample.
  public let logDet: LogDet?
  /// Whether the inverse inverts each step to rounding.
  public let exactInverse: Bool
  /// The outcome for a row without a solution.
  public let onFailure: Failure
  /// Whether a reverse pass keeps all activations instead of computing them again.
  public let keepsActivations: Bool

  /// Makes a flow along a field.
  public init(
    _ field: any VelocityField, solver: Solver = .steps(16), logDet: LogDet? = nil,
    exactInverse: Bool = false, onFailure: Failure = .nan, keepsActivations: Bool = false
  ) {
    (self.field, self.solver, self.logDet) = (field, solver, logDet)
    (self.exactInverse, self.onFailure, self.keepsActivations) = (exactInverse, onFailure, keepsActivations)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (params, motion) = try motion(key, at: site)
    let forward = body(motion, from: 0, to: 1)
    let back = exactInverse ? exactBack(motion) : body(motion, from: 1, to: 0)
    var initialized = site.layer("ContinuousFlow", params, forward: forward, inverse: back)
    if !exactInverse {
      initialized.forward.outputsAlone = outputs(motion, from: 0, to: 1)
      initialized.inverse.outputsAlone = outputs(motion, from: 1, to: 0)
      let isEqual = !motion.isAdaptive || motion.isDiscrete
      initialized.forward.outputsAloneAreEqual = isEqual
      initialized.inverse.outputsAloneAreEqual = isEqual
    }
    initialized.forward.continuous = part(motion, from: 0, to: 1)
    initialized.inverse.continuous = part(motion, from: 1, to: 0)
    return initialized
  }

  /// The field's parameters and its motion, after checks of the settings.
  func motion(_ key: Key, at site: Site) throws(FlowError) -> (params: Params, motion: Motion) {
    try solver.check(site.dtype, who: "ContinuousFlow")
    var isAdaptive = true
    if case .steps = solver { isAdaptive = false }
    if exactInverse && isAdaptive {
      throw .mismatch(
        who: "ContinuousFlow", what: "an exact inverse", expected: "of equal steps", got: "\(solver)")
    }
    let (params, velocity) = try field.initialize(key, at: site)
    let size = site.inputDim.count
    let isCheap = !isAdaptive && (size == 1 || (size <= 4 && !velocity.hasPotential))
    let mode = logDet ?? (isCheap ? .discrete : .trace)
    let motion = Motion(
      velocity: velocity, size: size, isDiscrete: mode == .discrete, isAdaptive: isAdaptive,
      keepsActivations: keepsActivations)
    return (params, motion)
  }

  private func body(_ motion: Motion, from first: Double, to last: Double) -> Mapping.Body {
    { (params, x, context) throws(FlowError) in
      let point = Arguments(inputs: [x.flatRows], params: params, context: context)
      let state = motion.solved(point, along: (first, last, solver))
      try check(state, motion, point, along: (first, last, solver))
      let (y, logDet, _) = motion.parts(state)
      return (y.reshaped(to: x.shape), logDet)
    }
  }

  /// The positions alone, which need no trace.
  private func outputs(_ motion: Motion, from first: Double, to last: Double) -> Mapping.Outputs {
    var motion = motion
    motion.hasLogDet = false
    let alone = motion
    return { (params, x, context) throws(FlowError) in
      let point = Arguments(inputs: [x.flatRows], params: params, context: context)
      let y = alone.solved(point, along: (first, last, solver))
      try check(y, alone, point, along: (first, last, solver))
      return y.reshaped(to: x.shape)
    }
  }

  /// The inverse, step by step from the last one.
  private func exactBack(_ motion: Motion) -> Mapping.Body {
    guard case .steps(let count) = solver else { fatalError("an exact inverse has equal steps") }
    return { (params, y, context) throws(FlowError) in
      var (x, total) = (y.flatRows, Tensor.zeros([y.rows], dtype: y.dtype))
      for k in (0..<count).reversed() {
        let times = StepTimes(k, of: count, from: 0, to: 1)
        let frame = Arguments(inputs: [x], params: params, context: context)
        let undo = StepInverse(
          motion: motion, times: times, wayBack: StepTimes(count - 1 - k, of: count, from: 1, to: 0),
          frame: frame.replaced(by: frame.tensors.map(\.detached)))
        x = undo(x, params, context)
        let point = Arguments(inputs: [x], params: params, context: context)
        let state = checkpointed(point.tensors, keepsActivations: keepsActivations) { tensors in
          let point = point.replaced(by: tensors)
          let start = motion.begun(point, times)
          return [
            motion.advanced(Arguments(inputs: [start], params: point.params, context: point.context), times)
          ]
        }[0]
        total = total - motion.parts(state).logDet
      }
      let point = Arguments(inputs: [y.flatRows], params: params, context: context)
      try check(x, motion, point, along: (1, 0, solver))
      return (x.reshaped(to: y.shape), total)
    }
  }

  private func part(_ motion: Motion, from first: Double, to last: Double) -> ContinuousPart {
    ContinuousPart(velocity: motion.velocity, isForward: first < last) {
      (params, x, context, request, layer) throws(FlowError) in
      var motion = motion
      (motion.costs, motion.isDiscrete) = (request.costs, false)
      motion.noise = request.noise.map { $0(layer, motion.size) }
      let point = Arguments(inputs: [x.flatRows], params: params, context: context)
      let state = motion.solved(point, along: (first, last, solver))
      try check(state, motion, point, along: (first, last, solver))
      let (y, logDet, costs) = motion.parts(state)
      return (y.reshaped(to: x.shape), logDet, costs)
    }
  }

  /// Throws for a row that has no solution although its input is finite, if that is asked for.
  private func check(
    _ state: Tensor, _ motion: Motion, _ point: Arguments, along path: Motion.Path
  ) throws(FlowError) {
    guard onFailure == .throw else { return }
    let given = Set(point.inputs[0].detached.brokenRows + (point.context?.flatRows.detached.brokenRows ?? []))
    guard let row = state.detached.brokenRows.first(where: { !given.contains($0) }) else { return }
    let values = point.replaced(by: point.tensors.map(\.detached))
    let alone = Arguments(
      inputs: [values.inputs[0].rows([row])], params: values.params, context: values.context?.rows([row]))
    let failure = motion.outcome(alone, along: path).failures.first
    let place = failure.map { ", stopped at t = \($0.time) with step \($0.step)" }
    throw .notFinite(who: "ContinuousFlow" + (place ?? ""), what: "solutions", row: row)
  }
}
