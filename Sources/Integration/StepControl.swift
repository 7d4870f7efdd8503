import Tensors

/// The choice of steps by estimated errors, row by row in double precision.
///
/// Hairer, Nørsett & Wanner 1993, *Solving ordinary differential equations I*, section II.4, with the
/// constants of their program DOPRI5.
struct StepControl {
  let relative, absolute: Double
  /// The number of leading columns of a state whose errors count.
  let columns: Int

  /// The estimated error of each row relative to the tolerance, as a root mean square. At most 1 is accepted.
  func norms(_ error: Tensor, _ start: Tensor, _ end: Tensor) -> [Double] {
    rootMeanSquares(error, maximum(abs(start), abs(end)))
  }

  /// The factors of the next steps: after an accepted one by the present and the previous error, after a
  /// rejected one by the present error alone.
  func factors(_ errors: [Double], previous: [Double]) -> (accepted: [Double], rejected: [Double]) {
    let error = Tensor(errors.map { max($0, 1e-10) }, dtype: .float64)
    let accepted = 0.9 * pow(error, -0.17) * pow(Tensor(previous, dtype: .float64), 0.04)
    let rejected = 0.9 * pow(error, -0.2)
    // An error that is not finite gives the least factor.
    func clipped(_ factors: Tensor, _ most: Double) -> [Double] {
      factors.doubles.map { $0 >= 0.2 ? min($0, most) : 0.2 }
    }
    return (clipped(accepted, 10), clipped(rejected, 1))
  }

  /// The first steps over a span: where the state and an Euler step predict a small error.
  func firstLengths(
    _ velocity: DormandPrince.Velocity, at state: Tensor, first: Tensor, from start: Double, to end: Double
  ) -> [Double] {
    let (count, span) = (state.rows, abs(end - start))
    let sizes = rootMeanSquares(state, abs(state))
    let slopes = rootMeanSquares(first, abs(state))
    let probes = (0..<count).map { i in
      min(sizes[i] < 1e-5 || !(slopes[i] >= 1e-5) ? 1e-6 : 0.01 * sizes[i] / slopes[i], span)
    }
    let lengths = end < start ? probes.map { -$0 } : probes
    let times = StepTimes(
      starts: [Double](repeating: start, count: count), lengths: lengths, ends: lengths.map { start + $0 })
    let beyond = velocity(state + times.length(state.dtype) * first, times.time(at: 1, state.dtype))
    let bends = rootMeanSquares(beyond - first, abs(state))
    let largest = (0..<count).map { max(slopes[$0], bends[$0] / probes[$0]) }
    let roots = pow(0.01 / Tensor(largest.map { max($0, 1e-300) }, dtype: .float64), 0.2).doubles
    return (0..<count).map { i in
      let length = largest[i] <= 1e-15 ? max(1e-6, 1e-3 * probes[i]) : roots[i]
      return length > 0 ? min(100 * probes[i], length, span) : min(100 * probes[i], span)
    }
  }

  private func rootMeanSquares(_ x: Tensor, _ size: Tensor) -> [Double] {
    let ratio = (x / (absolute + relative * size)).sliced(axis: 1, 0..<columns)
    return sqrt(square(ratio).sum(axis: 1).cast(to: .float64) / Double(max(columns, 1))).doubles
  }
}
