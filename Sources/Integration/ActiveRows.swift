import Tensors

/// The rows of a batch that are under way, each with a time and a step of its own.
struct ActiveRows {
  /// The numbers of the rows in the whole batch.
  private(set) var rows: [Int]
  private(set) var state: Tensor
  /// The velocity at the state.
  var slope: Tensor
  var times, lengths: [Double]
  /// The error of the last accepted step relative to the tolerance, at least 10⁻⁴.
  var errors: [Double]
  var attempts: [Int]
  var wasRejected: [Bool]

  init(_ state: Tensor, at time: Double) {
    let count = state.rows
    (rows, self.state, slope) = (Array(0..<count), state, state)
    times = [Double](repeating: time, count: count)
    (lengths, errors) = ([Double](repeating: 0, count: count), [Double](repeating: 1e-4, count: count))
    (attempts, wasRejected) = ([Int](repeating: 0, count: count), [Bool](repeating: false, count: count))
  }

  /// The signed lengths and the ends of the next steps. A last step lands on the last time exactly.
  func nextSteps(to last: Double, sign: Double) -> (lengths: [Double], ends: [Double]) {
    var (signed, ends): ([Double], [Double]) = ([], [])
    for (time, length) in zip(times, lengths) {
      let rest = abs(last - time)
      let isLast = !(length < 0.999 * rest)
      signed.append(sign * (isLast ? rest : length))
      ends.append(isLast ? last : time + sign * length)
    }
    return (signed, ends)
  }

  /// Moves the rows of accepted steps to their ends.
  mutating func advance(to end: Tensor, _ endSlope: Tensor, where accepted: [Bool]) {
    if accepted.allSatisfy({ $0 }) {
      (state, slope) = (end, endSlope)
      return
    }
    let mask = Tensor(accepted.map { $0 ? 1 : 0 }, shape: [accepted.count, 1], dtype: state.dtype)
      .broadcast(to: state.shape)
    (state, slope) = (select(where: mask, end, state), select(where: mask, endSlope, slope))
  }

  /// Takes rows out of the batch and returns their states.
  mutating func removing(_ leaving: [Bool]) -> Tensor {
    let gone = leaving.indices.filter { leaving[$0] }
    let kept = leaving.indices.filter { !leaving[$0] }
    let states = state.rows(gone)
    func pick<T>(_ values: [T]) -> [T] { kept.map { values[$0] } }
    (rows, times, lengths, errors) = (pick(rows), pick(times), pick(lengths), pick(errors))
    (attempts, wasRejected) = (pick(attempts), pick(wasRejected))
    (state, slope) = (state.rows(kept), slope.rows(kept))
    return states
  }
}
