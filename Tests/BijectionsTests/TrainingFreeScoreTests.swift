import Integration
import Randomness
import TestSupport
import Tensors
import Testing

@testable import Bijections

/// The field of training-free scores, in one column against the conserved distribution function.
@Suite struct TrainingFreeScoreTests {
  /// 200 standardized quantiles of two normal distributions.
  static let twoModes: Tensor = {
    let levels = (Tensor((0..<100).map(Double.init), dtype: .float64) + 0.5) / 100
    let normal = 2.0.squareRoot() * erfinv(2 * levels - 1)
    let rows = concatenate(-1 + 0.3 * normal, 1.2 + 0.5 * normal, axis: 0).reshaped(to: [200, 1])
    let centred = rows - rows.mean()
    return centred / sqrt(square(centred).mean())
  }()

  /// The distribution function of the rows after their diffusion to a variance s.
  private func distribution(_ x: Tensor, _ rows: Tensor, s: Double, kappa: Double) -> Tensor {
    let scale = (2 * s).squareRoot()
    return (0.5 + 0.5 * erf((x - (2 - kappa - s) * rows.transposed()) / scale)).mean(axis: 1)
  }

  private func moved(_ z: Tensor, _ rows: Tensor, kappa: Double, steps: Int) throws -> Tensor {
    let flow = ContinuousFlow(TrainingFreeScore(of: rows, kappa: kappa), solver: .steps(steps))
    let (params, _, inverse) = try flow(Key(0), inputDim: rows.shape.sample, dtype: z.dtype)
    return try inverse(params, z).outputs
  }

  /// The largest change of the distribution function along the motion: of fourth order, and 10⁻⁴ by far.
  @Test(arguments: [0.99, 0.9]) func distributionFunctionIsConserved(kappa: Double) throws {
    let z = Tensor((0...100).map { -2.5 + 0.05 * Double($0) }, shape: [101, 1], dtype: .float64)
    let rows = Self.twoModes
    func error(_ steps: Int) throws -> Double {
      let x = try moved(z, rows, kappa: kappa, steps: steps)
      let change =
        distribution(x, rows, s: 1 - kappa, kappa: kappa) - distribution(z, rows, s: 1, kappa: kappa)
      return abs(change).max(axis: 0).item
    }
    let errors = try [5, 10, 20].map(error)
    #expect(errors[0] < 2e-3 && errors[1] < 5e-5 && errors[2] < 5e-6, "\(errors)")
    #expect(errors[1] / errors[2] > 10 && errors[1] > 1e-9, "\(errors)")
  }

  /// One row m: x = m + h (z − h² m), whatever the number of columns.
  @Test func oneRow() throws {
    let m = wave([1, 3], phase: 0.3)
    let z = wave([4, 3], phase: 2)
    let x = try moved(z, m, kappa: 0.99, steps: 16)
    #expect(isClose(x, m + 0.1 * (z - 0.01 * m), 1e-5))
    let copies = m.broadcast(to: [300, 3])
    #expect(isClose(try moved(z, copies, kappa: 0.99, steps: 16), x, 1e-12))
  }

  /// Quantiles of N(m, c): x = m + √((c + h²) / (1 + h⁴ c)) (z − h² m).
  @Test func normalRows() throws {
    let levels = (Tensor((0..<1_000).map(Double.init), dtype: .float64) + 0.5) / 1_000
    let (m, c) = (0.3, 0.8)
    let rows = (m + (2 * c).squareRoot() * erfinv(2 * levels - 1)).reshaped(to: [1_000, 1])
    let z = Tensor([-1.5, -0.2, 0, 1, 1.8], shape: [5, 1], dtype: .float64)
    let slope = ((c + 0.01) / (1 + 1e-4 * c)).squareRoot()
    #expect(isClose(try moved(z, rows, kappa: 0.99, steps: 12), m + slope * (z - 0.01 * m), 3e-3))
  }

  @Test func traceIsThatOfTheJacobian() throws {
    let rows = 1.3 * wave([7, 3], phase: 1)
    let (params, velocity) = try TrainingFreeScore(of: rows, kappa: 0.9).initialize(
      Key(0), at: Site(inputDim: 3, dtype: .float64))
    let x = wave([4, 3], phase: 0.4)
    for time in [0.0, 0.3, 1] {
      let at = Tensor(time, dtype: .float64)
      let result = velocity.traced(params, x, at, nil)
      #expect(result.velocity.isIdentical(to: velocity.function(params, x, at, nil)))
      let jacobians = rowJacobians(at: x) { velocity.function(params, $0, at, nil) }
      #expect(isClose(jacobians, jacobians.swappingAxes(1, 2), 1e-12))
      for row in 0..<4 {
        let diagonal = (0..<3).map { jacobians[row].doubles[4 * $0] }
        #expect(abs(result.trace.doubles[row] - diagonal.reduce(0, +)) < 1e-11)
      }
    }
  }

  /// κ close to 1 has no pole, and its draws are rows.
  @Test func closeToCopies() throws {
    let rows = wave([5, 2], phase: 1)
    let x = try moved(wave([6, 2], phase: 3), rows, kappa: 1 - 1e-10, steps: 400)
    let distances = (0..<6).map { i in (0..<5).map { square(x[i] - rows[$0]).sum().item }.min()! }
    #expect(x.isFinite && distances.max()! < 1e-6, "\(distances)")
  }

  @Test func wrongRows() throws {
    func message(_ rows: Tensor) -> String {
      do {
        _ = try ContinuousFlow(TrainingFreeScore(of: rows))(Key(0), inputDim: 2)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message(.zeros([4, 3])).contains("rows of data") && message(.zeros([0, 2])).contains("one row"))
    #expect(message(Tensor([[1, 2], [3, .nan]])).contains("row 1"))
    #expect(message(.zeros([])).contains("rows of data"))
  }
}

/// The kernel is its composition, in float64, and rows do not depend on their neighbours.
@Suite struct KernelMeanTests {
  @Test(arguments: [(1, 1, 1), (3, 130, 2), (21, 300, 5), (17, 7, 9)])
  func agreement(_ size: (rows: Int, points: Int, columns: Int)) {
    let y = 2 * Key(1).normal([size.rows, size.columns], dtype: .float64)
    let rate = 0.5 + Key(2).uniform([size.rows], dtype: .float64)
    let points = Key(3).normal([size.points, size.columns], dtype: .float64)
    func fused(_ k: Int, _ y: Tensor, _ rate: Tensor, _ points: Tensor) -> Tensor {
      apply(KernelMean(), Operands(y, rate, points))[k]
    }
    func composed(_ k: Int, _ y: Tensor, _ rate: Tensor, _ points: Tensor) -> Tensor {
      KernelMean().composed(Operands(y, rate, points))[k]
    }
    for k in 0..<3 {
      let value = fused(k, y, rate, points)
      #expect(isClose(value, composed(k, y, rate, points), 1e-12))
      let weight = wave(value.shape, phase: 2)
      #expect(
        isClose(
          gradient(at: y) { (weight * fused(k, $0, rate, points)).sum() },
          gradient(at: y) { (weight * composed(k, $0, rate, points)).sum() }, 1e-11))
      #expect(
        isClose(
          gradient(at: rate) { (weight * fused(k, y, $0, points)).sum() },
          gradient(at: rate) { (weight * composed(k, y, $0, points)).sum() }, 1e-11))
      #expect(
        isClose(
          gradient(at: points) { (weight * fused(k, y, rate, $0)).sum() },
          gradient(at: points) { (weight * composed(k, y, rate, $0)).sum() }, 1e-11))
    }
  }

  /// A row alone has its bits, NaN stays in its row, and rows out of every point's reach have density 0.
  @Test(arguments: [DType.float32, .float64]) func rowsAlone(_ dtype: DType) {
    var y = 9 * Key(1).normal([19, 3], dtype: dtype)
    let huge = Tensor.full([1, 3], dtype == .float32 ? 1e30 : 1e300, dtype: dtype)
    y = concatenate([y, huge, huge * .nan], axis: 0)
    let (rate, points) = (Tensor.ones([21], dtype: dtype), Key(3).normal([200, 3], dtype: dtype))
    let all = apply(KernelMean(), Operands(y, rate, points))
    for i in 0..<19 {
      let own = apply(KernelMean(), Operands(y[i..<i + 1], rate[i..<i + 1], points))
      for k in 0..<3 { #expect(own[k].isIdentical(to: all[k][i..<i + 1])) }
      #expect(own[0].isFinite && own[1].isFinite && own[2].isFinite)
    }
    #expect(all[1].doubles[19] == -.infinity && all[1].doubles[20].isNaN)
  }
}
