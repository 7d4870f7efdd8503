import Tensors

/// A method that solves x' = v(x, t) for every row of a batch.
///
/// The results of a row do not depend on the other rows, to the bit.
public enum Solver: Sendable, Hashable {
  /// A number of equal steps of the classical Runge-Kutta method, of order 4. Each takes four evaluations.
  case steps(Int)
  /// The method of Dormand and Prince, of order 5, with steps that keep the estimated error of each within
  /// `absolute + relative · |state|`, as a root mean square over the numbers of a row.
  ///
  /// Every row has a time, a step and an error estimate of its own. The estimate is per step: the error at
  /// the end is some multiples of it. The same tolerance in another library can mean another accuracy. A row
  /// that needs more than `limit` attempts becomes NaN.
  case tolerance(relative: Double, absolute: Double, limit: Int = 1_000)

  /// The largest number of steps or attempts.
  package static let mostSteps = 1_000_000

  /// The least absolute tolerance. Log-dets near 0 have rounding errors that smaller ones never allow.
  package static func leastAbsolute(in dtype: DType) -> Double { dtype == .float32 ? 1e-14 : 1e-100 }

  /// Throws `FlowError.mismatch` for no steps or more than a million, and for a tolerance that the dtype
  /// cannot reach.
  ///
  /// Relative tolerances below 8 ε, 1e-6 in float32, would only add rounding errors and steps.
  public func check(_ dtype: DType, who: String) throws(FlowError) {
    switch self {
    case .steps(let count):
      try check("a number of steps", count, who)
    case .tolerance(let relative, let absolute, let limit):
      let least = 8 * dtype.epsilon
      if !(relative >= least && relative < 1) {
        throw .mismatch(
          who: who, what: "a relative tolerance", expected: "from \(least) in \(dtype), below 1",
          got: "\(relative)")
      }
      let lowest = Self.leastAbsolute(in: dtype)
      if !(absolute >= lowest && absolute.isFinite) {
        throw .mismatch(
          who: who, what: "an absolute tolerance", expected: "from \(lowest) in \(dtype)", got: "\(absolute)")
      }
      try check("a limit of steps", limit, who)
    }
  }

  private func check(_ what: String, _ count: Int, _ who: String) throws(FlowError) {
    if (1...Self.mostSteps).contains(count) { return }
    throw .mismatch(who: who, what: what, expected: "from 1 to \(Self.mostSteps)", got: "\(count)")
  }
}
