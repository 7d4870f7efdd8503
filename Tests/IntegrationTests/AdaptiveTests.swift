import Tensors
import Testing

@testable import Integration

/// The adaptive solver: order, rows of their own, failures.
struct AdaptiveTests {
  /// x' = −rate · x + sin 3t, with a rate per row.
  private func solution(
    _ x: Tensor, rates: [Double], tolerance: Double, between times: (Double, Double) = (0, 1),
    limit: Int = 500
  ) -> AdaptiveSolution {
    AdaptiveSolution(
      of: { rows in
        let rate = Tensor(rows.map { rates[$0] }, shape: [rows.count, 1], dtype: x.dtype)
        return { x, t in -(rate * x) + sin(3 * t) }
      }, from: x, between: (times.0, times.1), relative: tolerance, absolute: tolerance, limit: limit,
      columns: x.shape[1])
  }

  /// x(1) = (x − c) e^(−r) + (r sin 3 − 3 cos 3) / (r² + 9), with c the same at t = 0.
  private func exact(_ x: Double, _ r: Double) -> Double {
    func value(_ f: (Tensor) -> Tensor, _ x: Double) -> Double { f(Tensor(x, dtype: .float64)).item }
    let (end, start) = ((r * value(sin, 3) - 3 * value(cos, 3)) / (r * r + 9), -3 / (r * r + 9))
    return (x - start) * value(exp, -r) + end
  }

  private let rates: [Double] = [0.5, 20, 3, 1e-3]
  private let start = Tensor([[1, -2], [3, 0.5], [0, 0], [-1, 4]], dtype: .float64)

  @Test(arguments: [1e-4, 1e-7, 1e-10]) func errorsAreSomeTolerances(_ tolerance: Double) {
    let solution = solution(start, rates: rates, tolerance: tolerance)
    for (i, x) in solution.end.doubles.enumerated() {
      #expect(abs(x - exact(start.doubles[i], rates[i / 2])) < 20 * tolerance)
    }
    #expect(solution.failures.isEmpty)
    #expect(solution.evaluations[1] > solution.evaluations[3])
  }

  @Test func backInTime() {
    let rates = rates.map { min($0, 3) }
    let there = solution(start, rates: rates, tolerance: 1e-9)
    let back = solution(there.end, rates: rates, tolerance: 1e-9, between: (1, 0))
    #expect(zip(back.end.doubles, start.doubles).allSatisfy { abs($0 - $1) < 1e-7 })
    #expect(back.steps.allSatisfy { $0.last!.end == 0 && $0.first!.start == 1 })
  }

  /// The estimated error falls as the fifth power of the step, and that of the result as the sixth.
  @Test func ordersOfOneStep() {
    let velocity = { (x: Tensor, t: Tensor) in x * cos(t) }
    let x = Tensor([[2.0]], dtype: .float64)
    func errors(_ h: Double) -> (estimate: Double, result: Double) {
      let times = StepTimes(starts: [0.3], lengths: [h], ends: [0.3 + h])
      let (end, _, error) = DormandPrince.estimatedStep(
        velocity, at: x, first: velocity(x, Tensor(0.3, dtype: .float64)), times)
      let sines = sin(Tensor([0.3 + h, 0.3], dtype: .float64)).doubles
      let exact = 2 * exp(Tensor(sines[0] - sines[1], dtype: .float64)).item
      return (abs(error.item), abs(end.item - exact))
    }
    let (coarse, fine) = (errors(0.2), errors(0.1))
    #expect(abs(log(Tensor(coarse.estimate / fine.estimate, dtype: .float64)).item / 0.6931 - 5) < 0.4)
    #expect(abs(log(Tensor(coarse.result / fine.result, dtype: .float64)).item / 0.6931 - 6) < 0.4)
  }

  /// A row has the same bits alone and beside others, a NaN among them, and takes the same steps.
  @Test(arguments: [DType.float32, .float64]) func rowsAreAlone(_ dtype: DType) {
    let x = concatenate([start, .full([1, 2], .nan, dtype: .float64)], axis: 0).cast(to: dtype)
    let all = solution(x, rates: rates + [1], tolerance: 1e-5)
    for row in 0..<4 {
      let alone = solution(x[row..<row + 1], rates: [rates[row]], tolerance: 1e-5)
      #expect(alone.end.isIdentical(to: all.end[row..<row + 1]))
      #expect(alone.steps[0].map(\.end) == all.steps[row].map(\.end))
      #expect(alone.evaluations[0] == all.evaluations[row])
    }
    #expect(all.end[4].doubles.allSatisfy { $0.isNaN })
    #expect(all.failures.map(\.row) == [4])
  }

  /// The recorded steps, taken again, give the same bits.
  @Test func replayHasTheSameBits() {
    let velocity: (Tensor, [Int]) -> DormandPrince.Velocity = { x, rows in
      let rate = Tensor(rows.map { rates[$0] }, shape: [rows.count, 1], dtype: x.dtype)
      return { x, t in -(rate * x) + sin(3 * t) }
    }
    for dtype in [DType.float32, .float64] {
      let x = start.cast(to: dtype)
      let solution = solution(x, rates: rates, tolerance: 1e-5)
      let schedule = StepSchedule(solution.steps)
      let order = schedule.order!
      let again = schedule.run(from: x) { state, step in
        DormandPrince.step(velocity(x, Array(order[0..<step.rows])), at: state, step.times)
      }
      #expect(again.isIdentical(to: solution.end))
    }
  }

  /// x' = x² from 2 is infinite at time 1/2. The row stops close to it, and the others go on.
  @Test func blowUpIsReported() {
    let x = Tensor([[1.5], [0.5], [2]], dtype: .float64)
    let solution = AdaptiveSolution(
      of: { _ in { x, _ in x * x } }, from: x, between: (0, 1), relative: 1e-6, absolute: 1e-6, limit: 200,
      columns: 1)
    #expect(solution.failures.map(\.row) == [0, 2])
    #expect(abs(solution.failures[1].time - 0.5) < 1e-3)
    #expect(abs(solution.end.doubles[1] - 1) < 1e-4)
    #expect(solution.end.doubles[0].isNaN && solution.end.doubles[2].isNaN)
  }

  @Test func emptyBatch() {
    let solution = solution(.zeros([0, 2], dtype: .float64), rates: [], tolerance: 1e-5)
    #expect(solution.end.shape == [0, 2])
  }

  @Test func settingsAreChecked() {
    for solver: Solver in [
      .steps(0), .tolerance(relative: 1e-8, absolute: 1e-8), .tolerance(relative: .nan, absolute: 1e-3),
      .tolerance(relative: 1e-3, absolute: 0), .tolerance(relative: 1e-3, absolute: 1e-3, limit: 0),
    ] {
      #expect(throws: FlowError.self) { try solver.check(.float32, who: "test") }
    }
    #expect(throws: Never.self) {
      try Solver.tolerance(relative: 1e-8, absolute: 1e-8).check(.float64, who: "test")
      try Solver.tolerance(relative: 1e-6, absolute: 1e-8).check(.float32, who: "test")
    }
  }
}
