import Tensors
import Testing

@testable import Integration

/// Halving the steps of a whole solve divides its error by 2 to the order.
struct OrderTests {
  private enum Method: String, CaseIterable {
    case rungeKutta4, dormandPrince
    var order: Double { self == .rungeKutta4 ? 4 : 5 }
  }

  /// x' = −2 t x² from 1 at 0 to 1 / (1 + t²) at 1.
  private func error(_ method: Method, steps: Int) -> Double {
    let velocity = { (x: Tensor, t: Tensor) in -2 * t * x * x }
    var x = Tensor([[1.0]], dtype: .float64)
    for k in 0..<steps {
      let times = StepTimes(k, of: steps, from: 0, to: 1)
      switch method {
      case .rungeKutta4:
        x = rungeKutta4(velocity, at: x, time: times.time(at: 0, .float64), step: times.length(.float64))
      case .dormandPrince: x = DormandPrince.step(velocity, at: x, times)
      }
    }
    return abs(x.item - 0.5)
  }

  @Test(arguments: Method.allCases) private func halvingTheSteps(_ method: Method) {
    for steps in [16, 32] {
      let ratio = error(method, steps: steps) / error(method, steps: 2 * steps)
      let order = log(Tensor(ratio, dtype: .float64)).item / 0.6931471805599453
      #expect(abs(order - method.order) < 0.2, "\(order) at \(steps) steps")
    }
  }
}
