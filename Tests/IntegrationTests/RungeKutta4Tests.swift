import Integration
import Tensors
import Testing

/// One step of the classical method.
struct RungeKutta4Tests {
  /// For x' = x the step multiplies by the Taylor polynomial of degree 4.
  @Test(arguments: [0.5, -0.25])
  func growthIsTaylorsPolynomial(step h: Double) {
    let x = Tensor([1, -2], dtype: .float64)
    let y = rungeKutta4({ x, _ in x }, at: x, time: 0, step: h)
    let factor = 1 + h + h * h / 2 + h * h * h / 6 + h * h * h * h / 24
    #expect(abs(y.doubles[0] - factor) < 1e-15)
    #expect(abs(y.doubles[1] + 2 * factor) < 1e-15)
  }

  /// For x' = t³ the step is Simpson's rule, which is exact for cubics.
  @Test func cubicsInTimeAreExact() {
    let x = Tensor([1.0], dtype: .float64)
    let y = rungeKutta4({ x, t in t * t * t + 0 * x }, at: x, time: 0.5, step: 1)
    #expect(abs(y.doubles[0] - (1 + (5.0625 - 0.0625) / 4)) < 1e-15)
  }

  /// Each row may have a time and a step of its own; a row's bits are those of the common step.
  @Test func rowsHaveTimesOfTheirOwn() {
    let x = Tensor([[1, 2], [3, 4]], dtype: .float64)
    let velocity = { (x: Tensor, t: Tensor) in x * t }
    let (times, steps) = (Tensor([[0], [0.5]], dtype: .float64), Tensor([[0.25], [0.5]], dtype: .float64))
    let together = rungeKutta4(velocity, at: x, time: times, step: steps)
    for row in 0..<2 {
      let alone = rungeKutta4(
        velocity, at: x[row..<row + 1], time: times.doubles[row], step: steps.doubles[row])
      #expect(alone.isIdentical(to: together[row..<row + 1]))
    }
  }
}
