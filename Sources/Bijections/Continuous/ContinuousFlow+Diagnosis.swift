import Integration
import Randomness
import Tensors

extension ContinuousFlow {
  /// The work and the errors of a continuous flow at given rows.
  public struct Diagnosis: Sendable {
    /// A row without a solution: the time it reached and its last step.
    public struct LostRow: Sendable, Hashable, CustomStringConvertible {
      /// The number of the row.
      public let row: Int
      /// The time that the row reached.
      public let time: Double
      /// The last step.
      public let step: Double

      /// The row, its time and its step in words.
      public var description: String { "row \(row) stopped at t = \(time) with step \(step)" }
    }

    /// The evaluations of the field for each row, from data to latents.
    public let evaluations: [Int]
    /// The rows without a solution.
    public let lostRows: [LostRow]
    /// The largest |inverse(forward(x)) − x| of each row.
    public let inverseErrors: [Double]
    /// The sum of the two directions' log-dets of each row, which is 0 for an exact inverse.
    public let logDetErrors: [Double]
    /// An estimate of the solver's error in each row's outputs, from twice as many steps or a tolerance
    /// smaller by 32.
    ///
    /// For equal steps it is 16/15 of the difference, since the error is of fourth order.
    public let solverErrors: [Double]
  }

  /// Runs both directions at rows of data and reports evaluations, failures and errors.
  ///
  /// Throws what the flow throws for these inputs. Rows without a solution are no error here.
  public func diagnosis(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil
  ) throws(FlowError) -> Diagnosis {
    let silent = with(solver: solver, onFailure: .nan)
    let (forward, inverse, motion) = try silent.directions(params, inputs, context)
    let (y, logDet) = try forward(params, inputs, given: context)
    let (x, back) = try inverse(params, y, given: context)
    let point = Arguments(inputs: [inputs.flatRows], params: params, context: context)
    let outcome = motion.outcome(point, along: (0, 1, solver))
    let (finer, share) = finerSolver(inputs.dtype)
    let fine = try silent.with(solver: finer, onFailure: .nan).directions(params, inputs, context).forward
    let better = try fine(params, inputs, given: context).outputs
    func largest(_ difference: Tensor) -> [Double] { abs(difference.flatRows).max(axis: 1).doubles }
    return Diagnosis(
      evaluations: outcome.evaluations,
      lostRows: outcome.failures.map { .init(row: $0.row, time: $0.time, step: $0.step) },
      inverseErrors: largest(x - inputs), logDetErrors: (logDet + back).doubles,
      solverErrors: largest(y - better).map { share * $0 })
  }

  /// The positions of rows at equal times from 0, the data, to 1, the latents: [times + 1, rows] + sample.
  ///
  /// Each interval takes the flow's own solver, so an equal-step solver takes its steps in each. A row that
  /// has no solution is NaN from there on.
  ///
  /// - Precondition: at least one interval.
  public func trajectories(
    _ params: Params, _ inputs: Tensor, given context: Tensor? = nil, intervals: Int = 32
  ) throws(FlowError) -> Tensor {
    require(intervals > 0, "trajectories need at least one interval, got \(intervals)")
    let (forward, _, motion) = try directions(params, inputs, context)
    try forward.boundary.check(params, inputs, given: context)
    var (x, path) = (inputs.flatRows, [inputs])
    for k in 0..<intervals {
      let times = (Double(k) / Double(intervals), Double(k + 1) / Double(intervals))
      let point = Arguments(inputs: [x], params: params, context: context)
      x = motion.outcome(point, along: (times.0, times.1, solver)).state.sliced(axis: 1, 0..<motion.size)
      path.append(x.reshaped(to: inputs.shape))
    }
    return stack(path)
  }

  /// The same flow with another solver and another outcome of failures.
  private func with(solver: Solver, onFailure: Failure) -> ContinuousFlow {
    ContinuousFlow(
      field, solver: solver, logDet: logDet, exactInverse: exactInverse, onFailure: onFailure,
      keepsActivations: keepsActivations)
  }

  private func finerSolver(_ dtype: DType) -> (solver: Solver, share: Double) {
    switch solver {
    case .steps(let count): (.steps(min(2 * count, Solver.mostSteps)), 16.0 / 15)
    case .tolerance(let relative, let absolute, let limit):
      (
        .tolerance(
          relative: max(relative / 32, 8 * dtype.epsilon),
          absolute: max(absolute / 32, Solver.leastAbsolute(in: dtype)),
          limit: min(4 * limit, Solver.mostSteps)), 1
      )
    }
  }

  private func directions(
    _ params: Params, _ inputs: Tensor, _ context: Tensor?
  ) throws(FlowError) -> (forward: Mapping, inverse: Mapping, motion: Motion) {
    if inputs.rank == 0 || context?.rank == 0 {
      throw .mismatch(who: "ContinuousFlow", what: "inputs and context", expected: "of rows", got: "a scalar")
    }
    let site = Site(
      inputDim: inputs.shape.sample, contextDim: context?.shape.sample, dtype: inputs.dtype)
    try site.check(who: "ContinuousFlow")
    let (_, forward, inverse) = try bound(Key(0), at: site)
    return (forward, inverse, try motion(Key(0), at: site).motion)
  }
}
