import Bijections
import Randomness
import Tensors
import Testing

/// Derivatives of log-dets and log-scales keep their relative accuracy near zeros and in the tails.
@Suite struct SlopeTailTests {
  private static let points: [Double] = [1e-300, 1e-12, 1e-5, 0.3, 2, 9, 25, 60, 300]

  private func isAccurate(_ found: Double, _ expected: Double, _ tolerance: Double = 1e-14) -> Bool {
    abs(found / expected - 1) <= tolerance
  }

  /// d/dx log|f′| is −2 tanh x for tanh and −tanh(x/2) for the logistic function.
  @Test func logDetsOfTanhAndSigmoid() throws {
    let (_, forwardOfTanh, _) = try Tanh()(Key(0), inputDim: 1, dtype: .float64)
    let (_, forwardOfSigmoid, _) = try Sigmoid()(Key(0), inputDim: 1, dtype: .float64)
    for point in Self.points + Self.points.map({ -$0 }) {
      let x = Tensor([[point]], dtype: .float64)
      let ofTanh = try gradient(at: x) { try forwardOfTanh(.empty, $0).logDet.sum() }.item
      let ofSigmoid = try gradient(at: x) { try forwardOfSigmoid(.empty, $0).logDet.sum() }.item
      #expect(isAccurate(ofTanh, -2 * tanh(x).item))
      #expect(isAccurate(ofSigmoid, -tanh(0.5 * x).item))
    }
  }

  /// log(1 − tanh² x) is −x² + x⁴/6·… near 0, where log 2 − x − log(1 + e⁻²ˣ) has lost it.
  @Test func logDetOfTanhNearZero() throws {
    let (_, forward, _) = try Tanh()(Key(0), inputDim: 1, dtype: .float64)
    for x in [1e-8, -1e-6, 1e-4] {
      let logDet = try forward(.empty, Tensor([[x]], dtype: .float64)).logDet.item
      #expect(isAccurate(logDet, -x * x + x * x * x * x / 6))
    }
  }

  /// The raw number of a bounded log-scale, through the kernel and through the composition: 1 − tanh² (r/2).
  @Test func boundedScalesFarOut() {
    for r in [30.0, -80, 300, -600] {
      let raw = Tensor([[r, 0]], dtype: .float64)
      let x = Tensor([[1]], dtype: .float64)
      let power = exp(Tensor(-abs(r), dtype: .float64)).item
      let expected = 4 * power / ((1 + power) * (1 + power))
      let fused = gradient(at: raw) { Affine().forward(x, $0).logDet.sum() }.doubles[0]
      let inverse = gradient(at: raw) { Affine().inverse(x, $0).logDet.sum() }.doubles[0]
      let composed = jvp(at: raw, along: Tensor([[1, 0]], dtype: .float64)) {
        Affine().forward(x, $0).logDet
      }.tangent.item
      #expect(isAccurate(fused, expected) && isAccurate(inverse, -expected) && isAccurate(composed, expected))
    }
  }

  /// log(l + (h − l) σ(r)) has the derivative (h − l) σ(r) σ(−r) / (l + (h − l) σ(r)).
  @Test func scalesBetweenTwoBoundsFarOut() {
    let (low, high) = (0.25, 3.0)
    for r in [-700.0, -40, -3, 0, 3, 40, 700] {
      let found = gradient(at: Tensor([r], dtype: .float64)) {
        LogScale.within(low: low, high: high)($0).sum()
      }.item
      let power = exp(Tensor(-abs(r), dtype: .float64)).item
      let sigmoid = r < 0 ? power / (1 + power) : 1 / (1 + power)
      let expected = (high - low) * power / ((1 + power) * (1 + power)) / (low + (high - low) * sigmoid)
      // The condition number of a tail is |r|.
      #expect(isAccurate(found, expected, 1e-15 * max(10, abs(r))), "\(found), not \(expected), at \(r)")
    }
  }

  /// The log-det of SumOfSquares is finite in float32 where its slope overflows.
  @Test func slopesThatOverflow() {
    let transformer = SumOfSquares(degree: 5)
    let raw = Key(7).normal([1, transformer.parameterCount])
    for x in [1e4, -1e6, 1e8] {
      func logDet(_ dtype: DType) -> Double {
        transformer.forward(Tensor([[x]], dtype: dtype), raw.cast(to: dtype)).logDet.item
      }
      #expect(isAccurate(logDet(.float32), logDet(.float64), 1e-6))
    }
  }
}
