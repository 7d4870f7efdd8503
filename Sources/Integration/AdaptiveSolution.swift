import Tensors

/// The solution of a batch whose rows choose their own steps, on values.
///
/// Rows that are done leave the batch. The steps that each row has taken are recorded, so that the same
/// solution can be computed again and differentiated. The record is constant then.
package struct AdaptiveSolution: Sendable {
  /// A row without a solution: it needed too many steps, or too small ones.
  package typealias Failure = (row: Int, time: Double, step: Double)
  /// The velocity of some rows of the batch. The rows are constant until it is asked for again.
  package typealias RowVelocity = (_ rows: [Int]) -> DormandPrince.Velocity

  /// The states at the end, NaN in rows without a solution.
  package let end: Tensor
  /// The accepted steps of each row: start, signed length and end.
  package let steps: [[(start: Double, length: Double, end: Double)]]
  /// The evaluations of the velocity for each row.
  package let evaluations: [Int]
  /// The rows without a solution.
  package let failures: [Failure]
}

extension AdaptiveSolution {
  /// Solves from one time to another.
  ///
  /// - Parameters:
  ///   - state: the states at the start, [rows, numbers].
  ///   - columns: the number of leading columns whose errors count.
  package init(
    of velocity: RowVelocity, from state: Tensor, between times: (first: Double, last: Double),
    relative: Double, absolute: Double, limit: Int, columns: Int
  ) {
    state.refuseTrace("a solver with a tolerance chooses its steps by the numbers of a batch")
    let control = StepControl(relative: relative, absolute: absolute, columns: columns)
    var batch = ActiveRows(state, at: times.first)
    var field = velocity(batch.rows)
    var results = (rows: [Int](), ends: [Tensor]())
    var steps = [[(start: Double, length: Double, end: Double)]](repeating: [], count: state.rows)
    var evaluations = [Int](repeating: 2, count: state.rows)
    var failures: [Failure] = []
    let least = 4 * state.dtype.epsilon * abs(times.last - times.first)
    let sign: Double = times.last < times.first ? -1 : 1
    if !batch.rows.isEmpty {
      batch.slope = field(
        state, StepTimes(0, of: 1, from: times.first, to: times.last).time(at: 0, state.dtype))
      batch.lengths = control.firstLengths(
        field, at: state, first: batch.slope, from: times.first, to: times.last
      ).map { $0 < least ? least : $0 }
    }

    while !batch.rows.isEmpty {
      let (lengths, ends) = batch.nextSteps(to: times.last, sign: sign)
      let step = StepTimes(starts: batch.times, lengths: lengths, ends: ends)
      let (end, slope, error) = DormandPrince.estimatedStep(
        field, at: batch.state, first: batch.slope, step)
      let errors = control.norms(error, batch.state, end)
      let factors = control.factors(errors, previous: batch.errors)
      var (accepted, leaving) = ([Bool](), [Bool]())
      for (i, row) in batch.rows.enumerated() {
        let isAccepted = errors[i] <= 1
        (evaluations[row], batch.attempts[i]) = (evaluations[row] + 6, batch.attempts[i] + 1)
        if isAccepted {
          steps[row].append((batch.times[i], lengths[i], ends[i]))
          (batch.times[i], batch.errors[i]) = (ends[i], max(errors[i], 1e-4))
        }
        // After a rejected step the next one is no longer than the last.
        let growth = isAccepted ? factors.accepted[i] : factors.rejected[i]
        batch.lengths[i] = abs(lengths[i]) * (batch.wasRejected[i] ? min(growth, 1) : growth)
        // Only a rejected step can be too small.
        if isAccepted && batch.lengths[i] < least { batch.lengths[i] = least }
        batch.wasRejected[i] = !isAccepted
        let isDone = isAccepted && ends[i] == times.last
        let isLost = !isDone && (batch.attempts[i] >= limit || !(batch.lengths[i] >= least))
        if isLost { failures.append((row, batch.times[i], batch.lengths[i])) }
        accepted.append(isAccepted)
        leaving.append(isDone || isLost)
      }
      batch.advance(to: end, slope, where: accepted)
      if leaving.contains(true) {
        results.rows += zip(batch.rows, leaving).filter(\.1).map(\.0)
        results.ends.append(batch.removing(leaving))
        field = velocity(batch.rows)
      }
    }
    let joined = results.ends.isEmpty ? state : concatenate(results.ends, axis: 0)
    let end = joined.rows(inverted(results.rows))
    // Infinite numbers have an infinite tolerance.
    let lost = Set(failures.map(\.row))
    for row in end.brokenRows where !lost.contains(row) {
      failures.append((row, times.last, abs(steps[row].last?.length ?? 0)))
    }
    failures.sort { $0.row < $1.row }
    (self.steps, self.evaluations, self.failures) = (steps, evaluations, failures)
    self.end = end.spoiled(in: failures.map(\.row))
  }
}

extension Tensor {
  /// The rows with a number that is not finite.
  package var brokenRows: [Int] {
    // A graph does not know them. There NaN stays in its number.
    if isSymbolic || isFinite { return [] }
    let sums = (0 * self).sumPerRow().doubles
    return sums.indices.filter { sums[$0] != 0 }
  }

  /// The tensor with NaN in some of its rows.
  package func spoiled(in rows: [Int]) -> Tensor {
    if rows.isEmpty { return self }
    var mask = [Double](repeating: 0, count: shape[0])
    for row in rows { mask[row] = 1 }
    let column = Tensor(mask, shape: Shape([mask.count] + [Int](repeating: 1, count: rank - 1)), dtype: dtype)
    return select(where: column.broadcast(to: shape), .nan, self)
  }
}

/// The inverse of a permutation.
package func inverted(_ permutation: [Int]) -> [Int] {
  var result = permutation
  for (i, place) in permutation.enumerated() { result[place] = i }
  return result
}
