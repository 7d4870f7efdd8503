import Bijections
import Networks
import Randomness
import TestSupport
import Tensors
import Testing

/// Fields: gradients, traces and costs.
@Suite struct VelocityTests {
  private let x = wave([4, 3], phase: 0.4)
  private let context = wave([4, 2], phase: 3)
  private let time = Tensor(0.3, dtype: .float64)

  private func made(
    _ field: any VelocityField, inputDim: Int = 3, contextDim: Shape? = [2]
  ) throws -> (params: Params, velocity: Velocity) {
    let site = Site(inputDim: Shape([inputDim]), contextDim: contextDim, dtype: .float64)
    let (params, velocity) = try field.initialize(Key(3), at: site)
    var i = 0
    return (
      params.map { leaf in
        i += 1
        return leaf + 0.3 * wave(leaf.shape, phase: Double(i))
      }, velocity
    )
  }

  /// Φ of OT-Flow, written once more from its definition.
  private func potential(_ params: Params, _ x: Tensor, _ t: Tensor, _ c: Tensor, hidden: Int) -> Tensor {
    func logCosh(_ x: Tensor) -> Tensor { abs(x) + log1p(exp(-2 * abs(x))) }
    let s = concatenate(x, c, axis: 1)
    let (first, matrix) = (params.child("first"), params.child("quadratic"))
    var u = logCosh(matmul(s, first["weight"]) + t * first["time"] + first["bias"])
    for i in 1...hidden {
      let layer = params.child("hidden_\(i)")
      u = u + logCosh(matmul(u, layer["weight"]) + layer["bias"]) / Double(hidden)
    }
    let quadratic = matmul(s, matrix["weight"]) + t * matrix["time"]
    let linear = concatenate(x, t.broadcast(to: [x.rows, 1]), axis: 1) * params["linear"]
    return (u * params["scale"]).sumPerRow() + 0.5 * square(quadratic).sumPerRow() + linear.sumPerRow()
  }

  /// Gradient and slope in time are those of the potential, and the trace is that of the Jacobian.
  @Test(arguments: [1, 2, 3]) func potentialHasExactDerivatives(hidden: Int) throws {
    let (params, velocity) = try made(OTFlowPotential(width: 5, layers: hidden + 1))
    let result = velocity.traced(params, x, time, context)
    let slope = gradient(at: x) { potential(params, $0, time, context, hidden: hidden).sum() }
    #expect(isClose(result.velocity, -slope, 1e-13))
    #expect(isClose(velocity.function(params, x, time, context), -slope, 1e-13))
    let inTime = jvp(at: time, along: .ones([], dtype: .float64)) {
      potential(params, x, $0, context, hidden: hidden)
    }.tangent
    #expect(isClose(try #require(result.timeSlope), inTime, 1e-13))
    let jacobians = rowJacobians(at: x) { velocity.function(params, $0, time, context) }
    for row in 0..<4 {
      let diagonal = (0..<3).map { jacobians[row].doubles[4 * $0] }
      #expect(abs(result.trace.doubles[row] - diagonal.reduce(0, +)) < 1e-12)
    }
    #expect(isClose(jacobians, jacobians.swappingAxes(1, 2), 1e-12))
  }

  /// A column of equal times gives the bits of one time for all rows, and its trace to rounding.
  @Test(arguments: 0..<5) func timesPerRow(_ i: Int) throws {
    let fields: [any VelocityField] = [
      OTFlowPotential(width: 5), ConcatSquash(hidden: [4]), NetworkField(), NetworkField(frequencies: 0),
      TrainingFreeScore(of: wave([5, 3], phase: 6)),
    ]
    let (params, velocity) = try made(fields[i])
    let column = time.broadcast(to: [4, 1])
    let (a, b) = (
      velocity.traced(params, x, time, context), velocity.traced(params, x, column, context)
    )
    #expect(a.velocity.isIdentical(to: b.velocity) && isClose(a.trace, b.trace, 1e-14))
    #expect(!isClose(a.velocity, velocity.function(params, x, 2 * time, context), 1e-3))
  }

  /// Over all eight sign vectors, Hutchinson's estimate has the mean and the variance of theory.
  @Test func estimatedTraces() throws {
    let (params, velocity) = try made(ConcatSquash(hidden: [4]), contextDim: nil)
    let signs = Tensor(
      (0..<8).map { i in (0..<3).map { i >> $0 & 1 == 0 ? -1.0 : 1.0 } }, dtype: .float64)
    let point = x[0..<1].broadcast(to: [8, 3])
    let product = jvp(at: point, along: signs) { velocity.function(params, $0, time, nil) }.tangent
    let estimates = (signs * product).sumPerRow().doubles
    let exact = velocity.traced(params, point, time, nil).trace.doubles[0]
    let mean = estimates.reduce(0, +) / 8
    #expect(abs(mean - exact) < 1e-12)
    let jacobian = rowJacobians(at: x[0..<1]) { velocity.function(params, $0, time, nil) }[0]
    let symmetric = 0.5 * (jacobian + jacobian.transposed())
    let off = square(symmetric * (1 - .identity(3, dtype: .float64))).sum().item
    let variance = estimates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 8
    #expect(abs(variance - 2 * off) < 1e-12)
    // The mean square of the product is the Jacobian's squared norm.
    #expect(abs(square(product).sum().item / 8 - square(jacobian).sum().item) < 1e-12)
  }

  @Test func parametersOfThePaper() throws {
    // The paper counts the constant c too.
    let counts = [(6, 128, 18_000), (43, 256, 78_000), (63, 512, 297_000)]
    for (size, width, paper) in counts {
      let site = Site(inputDim: Shape([size]))
      let count = try OTFlowPotential(width: width).initialize(Key(0), at: site).params.learnedCount
      #expect(abs(count + 1 - paper) < 600, "\(count)")
    }
    // FFJORD: D, hidden layers and their width per number, stages.
    for (size, hidden, factor, stages, paper) in [
      (6, 3, 10, 5, 43_000), (21, 2, 10, 10, 547_000), (43, 2, 20, 1, 821_000),
    ] {
      let field = ConcatSquash(hidden: .init(repeating: factor * size, count: hidden))
      let params = try field.initialize(Key(0), at: Site(inputDim: Shape([size]))).params
      #expect(abs(stages * params.learnedCount - paper) < 600, "\(stages * params.learnedCount)")
    }
  }
}
