import Bijections
import Distributions
import Integration
import Randomness
import TestSupport
import Tensors
import Testing

@Suite struct KernelDensityTests {
  private let rows = Key(5).normal([40, 2], dtype: .float64)

  /// It is the mixture of equal normal distributions around the rows.
  @Test func isAMixture() throws {
    let mixture = Mixture(
      (0..<40).map { Normal(location: .fixed(rows[$0]), scale: 0.3) },
      weights: .fixed(.full([40], 1, dtype: .float64)))
    let other = try mixture(Key(0), inputDim: 2, dtype: .float64)
    let own = try KernelDensity(of: rows, bandwidth: 0.3)(Key(0), inputDim: 2, dtype: .float64)
    let x = 2 * Key(6).normal([50, 2], dtype: .float64)
    #expect(isClose(try own.logPDF(own.params, x), try other.logPDF(other.params, x), 1e-12))
  }

  /// The motion of training-free scores turns the density of the diffused rows into that of the rows: the
  /// divergence of the score is right along the whole path.
  @Test func isTheLawOfTrainingFreeScores() throws {
    let h = 0.2
    let flow = Flow(
      ContinuousFlow(TrainingFreeScore(of: rows, bandwidth: h), solver: .steps(30), logDet: .trace),
      prior: KernelDensity(of: h * h * rows, bandwidth: 1))
    let moved = try flow(Key(0), inputDim: 2, dtype: .float64)
    let own = try KernelDensity(of: rows, bandwidth: h)(Key(0), inputDim: 2, dtype: .float64)
    let x = try own.sample(Key(7), own.params, count: 20)
    #expect(isClose(try moved.logPDF(moved.params, x), try own.logPDF(own.params, x), 1e-4))
  }

  /// Gradients by the fused kernel, at rows and by parameters, are finite differences of the density.
  @Test func gradientByPositions() throws {
    let own = try KernelDensity(of: rows, bandwidth: 0.5)(Key(0), inputDim: 2, dtype: .float64)
    let (x, v) = (wave([3, 2], phase: 1), wave([3, 2], phase: 4))
    func value(_ x: Tensor) throws -> Tensor { try own.logPDF(own.params, x).sum() }
    let slope = (try value(x + 1e-6 * v) - value(x - 1e-6 * v)) / 2e-6
    #expect(isClose((try gradient(at: x) { try value($0) } * v).sum(), slope, 1e-7))
  }

  /// For n rows of a standard normal column the best bandwidth is about 1.06 n^(−1/5).
  @Test func bandwidthByHeldOutRows() throws {
    let (training, heldOut) = (
      Key(8).normal([400, 1], dtype: .float64), Key(9).normal([400, 1], dtype: .float64)
    )
    let chosen = try KernelDensity(of: training, choosingBy: heldOut)
    #expect(chosen.bandwidth > 0.2 && chosen.bandwidth < 0.5, "\(chosen.bandwidth)")
    func score(_ h: Double) throws -> Double {
      let (params, logPDF, _) = try KernelDensity(of: training, bandwidth: h)(
        Key(0), inputDim: 1, dtype: .float64)
      return try logPDF(params, heldOut).mean().item
    }
    let best = try score(chosen.bandwidth)
    #expect(try score(chosen.bandwidth * 1.1) < best && score(chosen.bandwidth / 1.1) < best)
    // Rows that repeat the data drive the bandwidth to the least one.
    #expect(try KernelDensity(of: training, choosingBy: training).bandwidth < 0.0011)
  }

  @Test func wrongRows() throws {
    #expect(throws: FlowError.self) { try KernelDensity(of: rows, choosingBy: .zeros([0, 2])) }
    #expect(throws: FlowError.self) { try KernelDensity(of: rows, choosingBy: .zeros([3, 1])) }
    #expect(throws: FlowError.self) { try KernelDensity(of: rows, choosingBy: .full([3, 2], .nan)) }
    #expect(try KernelDensity(of: rows, choosingBy: .full([3, 2], 1e20)).bandwidth > 0.98)
    #expect(throws: FlowError.self) {
      try KernelDensity(of: .zeros([0, 2]), bandwidth: 1)(Key(0), inputDim: 2)
    }
    #expect(throws: FlowError.self) { try KernelDensity(of: rows, bandwidth: 1e-60)(Key(0), inputDim: 2) }
  }
}
