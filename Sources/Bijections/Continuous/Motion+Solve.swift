import Integration
import Tensors

extension Motion {
  /// A path in time: its ends and the solver.
  typealias Path = (first: Double, last: Double, solver: Solver)
  /// The end of a solve on values, with its steps and evaluations.
  typealias Outcome = (
    state: Tensor, schedule: StepSchedule, evaluations: [Int], failures: [AdaptiveSolution.Failure]
  )

  /// The states at the end of a path, at arguments whose only input is the positions at its start.
  ///
  /// Rows without a solution are NaN. Adaptive steps are chosen on values and are constants to every
  /// derivative: those of the result are the derivatives of the steps that run.
  func solved(_ point: Arguments, along path: Path) -> Tensor {
    let x = point.inputs[0]
    if case .steps(let count) = path.solver {
      let schedule = StepSchedule(steps: count, rows: x.rows, from: path.first, to: path.last)
      let end = replayed(point, schedule)
      return end.spoiled(in: end.detached.brokenRows)
    }
    let values = point.replaced(by: point.tensors.map(\.detached))
    let outcome = outcome(values, along: path)
    if !isDiscrete && point.tensors.allSatisfy(\.isConcrete) { return outcome.state }
    return replayed(point, outcome.schedule).spoiled(in: outcome.failures.map(\.row))
  }

  /// Takes the steps of a schedule. Each step's reverse pass computes it again.
  func replayed(_ point: Arguments, _ schedule: StepSchedule) -> Tensor {
    let ordered = schedule.order.map(at) ?? self
    let context = point.context.map { context in schedule.order.map(context.rows) ?? context }
    let first = schedule.entries.first?.times ?? StepTimes(0, of: 1, from: 0, to: 1)
    let start = checkpointed(point.tensors, keepsActivations: keepsActivations) { tensors in
      [begun(point.replaced(by: tensors), first)]
    }[0]
    return schedule.run(from: start) { state, step in
      var motion = ordered
      motion.noise = ordered.noise?[0..<step.rows]
      let own = context.map { $0.rows == step.rows ? $0 : $0[0..<step.rows] }
      let point = Arguments(inputs: [state], params: point.params, context: own)
      return checkpointed(point.tensors, keepsActivations: keepsActivations) { tensors in
        [motion.advanced(point.replaced(by: tensors), step.times)]
      }[0]
    }
  }

  /// Chooses steps on values. Where they are chosen by positions, the states are positions alone.
  func outcome(_ point: Arguments, along path: Path) -> Outcome {
    let x = point.inputs[0]
    guard case .tolerance(let relative, let absolute, let limit) = path.solver else {
      return fixedOutcome(point, along: path)
    }
    let solution = AdaptiveSolution(
      of: { rows in
        let (own, context) = (at(rows), point.context?.rows(rows))
        if choosesByPosition { return { velocity.function(point.params, $0, $1, context) } }
        return { own.rates(point.params, $0.sliced(axis: 1, 0..<size), $1, context) }
      }, from: choosesByPosition ? x : start(x), between: (path.first, path.last), relative: relative,
      absolute: absolute, limit: limit, columns: columns)
    return (solution.end, StepSchedule(solution.steps), solution.evaluations, solution.failures)
  }

  /// The evaluations of equal steps, one more than for positions alone if rates are carried.
  private func evaluations(ofSteps count: Int) -> Int { choosesByPosition ? 4 * count : 5 * count + 1 }

  /// Takes equal steps one by one, and notes where rows stop to be finite.
  private func fixedOutcome(_ point: Arguments, along path: Path) -> Outcome {
    guard case .steps(let count) = path.solver else { fatalError("a path of equal steps") }
    let x = point.inputs[0]
    let schedule = StepSchedule(steps: count, rows: x.rows, from: path.first, to: path.last)
    var (failures, lost): ([AdaptiveSolution.Failure], Set<Int>) = ([], [])
    let length = (path.last - path.first) / Double(count)
    let start = begun(point, schedule.entries[0].times)
    let end = schedule.run(from: start) { state, step in
      let next = advanced(
        Arguments(inputs: [state], params: point.params, context: point.context), step.times)
      for row in next.brokenRows where lost.insert(row).inserted {
        failures.append((row, step.times.time(at: 0, .float64).item, length))
      }
      return next
    }
    failures.sort { $0.row < $1.row }
    let evaluations = [Int](repeating: evaluations(ofSteps: count), count: x.rows)
    return (end.spoiled(in: failures.map(\.row)), schedule, evaluations, failures)
  }
}
