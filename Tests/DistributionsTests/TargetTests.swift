import Bijections
import Distributions
import Plots
import Randomness
import Tensors
import Testing
import Verification

@Suite struct TargetTests {
  /// ∫ exp(log-density) over a grid of the plane is 1.
  @Test func densitiesOfThePlaneIntegrateToOne() throws {
    func mass(_ target: Target, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>) throws -> Double {
      let grid = DensityPlot.Grid(x: x, y: y, columns: 800, rows: 800)
      let area = (x.upperBound - x.lowerBound) * (y.upperBound - y.lowerBound) / 640_000
      return exp(try target(grid.points(dtype: .float64))).sum().item * area
    }
    #expect(abs(try mass(Target(WarpedGaussian(), inputDim: 2), -6...6, -6...6) - 1) < 1e-6)
    #expect(abs(try mass(Target(Cross(), inputDim: 2), -8...8, -8...8) - 1) < 1e-6)
    #expect(
      abs(try mass(Target(Banana(curvature: 0.3, variance: 1), inputDim: 2), -7...7, -22...8) - 1) < 1e-6)
    #expect(abs(try mass(Target(Funnel(deviation: 0.5), inputDim: 2), -3...3, -20...20) - 1) < 1e-6)
  }

  /// Moments of a million draws against those of the definitions.
  @Test func drawsHaveTheMomentsOfTheirDefinitions() throws {
    func draws(_ target: Target) throws -> Tensor {
      let draw = try #require(target.draw)
      return try draw(Key(3), 100_000, .float64)
    }
    let banana = try draws(Target(Banana(), inputDim: 2))
    let mean = banana.mean(axis: 0).doubles
    #expect(abs(mean[0]) < 0.15 && abs(mean[1]) < 0.2)
    let variance = square(banana - banana.mean(axis: 0)).mean(axis: 0).doubles
    #expect(abs(variance[0] - 100) < 2 && abs(variance[1] - 201) < 10)  // 1 + 2 b² v²
    let funnel = try draws(Target(Funnel(deviation: 1), inputDim: 3)).doubles
    let spread = stride(from: 1, to: funnel.count, by: 3).reduce(0) { $0 + funnel[$1] * funnel[$1] } / 100_000
    #expect(abs(spread - 1.6487) < 0.08)  // E exp(x₁)
    let joint = try draws(Target(Cross(), inputDim: 2).withMomentum())
    let squares = square(joint).mean(axis: 0).doubles
    #expect(abs(squares[0] - 2.51125) < 0.05)  // half of 0.15² + (4 + 1)
    #expect(abs(squares[2] - 1) < 0.02 && abs(squares[3] - 1) < 0.02)
  }

  @Test func swirlIsASpiral() {
    let points = Swirl(noise: 0)(Key(0), count: 500, dtype: .float64)
    let radius = sqrt(square(points).sumPerRow())
    #expect(radius.max(axis: 0).item < 800 * 2 * Double.pi / 360)
    // (−n cos n, n sin n): the radius is the angle.
    #expect(
      abs((points.sliced(axis: 1, 0..<1).reshaped(to: [500]) + radius * cos(radius)).max(axis: 0).item) < 1e-9
    )
    #expect(Swirl()(Key(0), count: 7).isIdentical(to: Swirl()(Key(0), count: 9)[0..<7]))
  }

  @Test func momentumKeepsTheNormalizer() throws {
    let target = try Target(Funnel(), inputDim: 3)
    let joint = target.withMomentum()
    #expect(joint.inputDim == [6] && joint.logNormalizer == 0)
    let x = Key(1).normal([5, 6], dtype: .float64)
    let momentum = x.sliced(axis: 1, 3..<6)
    let expected =
      try target(x.sliced(axis: 1, 0..<3)) - 0.5 * square(momentum).sumPerRow() - 1.5
      * log(Tensor(2 * Double.pi, dtype: .float64))
    #expect(abs((try joint(x) - expected)).max(axis: 0).item < 1e-12)
  }

  /// A target that throws inside a Hamiltonian layer's gradient reaches the caller.
  @Test func hamiltonianPassesErrorsOn() throws {
    let layer = Hamiltonian { (q) throws(FlowError) in
      throw .outsideDomain(who: "target", expected: "anything else", got: 0, row: 0)
    }
    let (params, forward, _) = try layer(Key(0), inputDim: 2)
    #expect(throws: FlowError.self) { try forward(params, Tensor.zeros([1, 2])) }
    #expect(throws: FlowError.self) { try layer(Key(0), inputDim: 3) }
  }

  @Test func constraintsRefuseWhatIsNotTheirs() throws {
    func refused(_ layer: any Bijection, _ x: Tensor) throws {
      let (params, forward, _) = try layer(Key(0), inputDim: x.shape.sample)
      #expect(throws: FlowError.self) { try forward(params, x) }
    }
    try refused(FromInterval(above: 0), Tensor([[1, 0]]))
    try refused(FromInterval(below: 2), Tensor([[1, 2.5]]))
    try refused(FromOrdered(), Tensor([[1, 2, 2]]))
    try refused(FromSimplex(), Tensor([[0.5, 0.6]]))
    try refused(FromSimplex(), Tensor([[1.5, -0.5]]))
    try refused(FromCorrelationCholesky(), Tensor([1, 0.1, 0.6, 0.8], shape: [1, 2, 2]))
    try refused(FromCorrelationCholesky(), Tensor([1, 0, 0.6, 0.7], shape: [1, 2, 2]))
    try refused(FromCorrelationCholesky(), Tensor([1, 0, 0.6, -0.8], shape: [1, 2, 2]))
    try refused(Blockwise(([1], Serial()), ([1], Log())), Tensor([[-1, -1]]))
    let misplaced: [(any Bijection, Shape)] = [
      (FromSimplex(), 1), (FromCorrelationCholesky(), [2, 3]), (ToCorrelationCholesky(), 4),
      (Blockwise(([2], Serial())), 3),
    ]
    for (layer, dim) in misplaced {
      #expect(throws: FlowError.self) { try layer(Key(0), inputDim: dim) }
    }
  }

  /// w·û above −0.999 whatever u is: the inverse stands where the paper's bound rounds to −1 in float32.
  @Test func planarIsInvertibleFarOut() throws {
    let (initial, forward, inverse) = try Planar()(Key(0), inputDim: 2)
    let params = try initial.replacing("u", by: .leaf(Tensor([-40, 0]))).replacing(
      "w", by: .leaf(Tensor([3, 0])))
    let x = Tensor([[0, 1], [0.001, -2], [0.5, 3], [-4, 0]])
    let (y, logDet) = try forward(params, x)
    #expect(logDet.isFinite)
    let back = try inverse(params, y).outputs
    #expect(zip(back.doubles, x.doubles).allSatisfy { abs($0 - $1) < 1e-3 })
    // w of zeros: no direction, and finite derivatives.
    let flat = try initial.replacing("w", by: .leaf(.zeros([2])))
    let gradient = try valueAndGradient(at: flat) { try forward.body($0, x, nil).outputs.sum() }.gradient
    #expect(gradient.leaves.allSatisfy { $0.isFinite })
  }

  /// At the centre the radius has a kink: values and derivatives stay finite.
  @Test func radialIsFiniteAtItsCentre() throws {
    let (params, forward, inverse) = try Radial()(Key(0), inputDim: 2)
    let center = params["center"].reshaped(to: [1, 2])
    let (y, logDet) = try forward(
      params.perturbed(Key(1)).replacing("center", by: params.child("center")), center)
    #expect(y.isIdentical(to: center) && logDet.isFinite)
    #expect(try inverse(params, y).outputs.isIdentical(to: center))
    let gradient = try valueAndGradient(at: params) {
      let (y, logDet) = try forward.body($0, center, nil)
      return y.sum() + logDet.sum()
    }.gradient
    #expect(gradient.leaves.allSatisfy { $0.isFinite })
  }

  /// A chart is not a way around the check: log-dets in other coordinates than the chart's are refused.
  @Test func chartsRejectOtherVolumes() throws {
    func check(_ layer: any Bijection, _ change: @escaping @Sendable (Tensor) -> Tensor, _ dim: Shape) throws
    {
      let wrong = Lambda { (key, site) throws(FlowError) in
        let (params, forward, inverse) = try layer.initialize(key, at: site)
        return (
          params,
          Mapping(forward.boundary, to: forward.codomain) { (params, x, context) throws(FlowError) in
            let (y, logDet) = try forward.body(params, x, context)
            return (y, logDet + change(x))
          },
          Mapping(inverse.boundary, to: inverse.codomain) { (params, y, context) throws(FlowError) in
            let (x, logDet) = try inverse.body(params, y, context)
            return (x, logDet - change(x))
          }
        )
      }
      try LogDetCheck(of: layer, inputDim: dim, key: Key(0)).verify()
      #expect(throws: FlowError.self) { try LogDetCheck(of: wrong, inputDim: dim, key: Key(0)).verify() }
    }
    // The area of the simplex itself, and a forgotten last term; of the correlations instead of their factor.
    try check(FromSimplex(), { Tensor.full([$0.rows], 0.54930614433405485, dtype: $0.dtype) }, 3)
    try check(FromSimplex(), { log($0.sliced(axis: 1, 2..<3)).sumPerRow() }, 3)
    try check(
      FromCorrelationCholesky(), { log($0.reshaped(to: [$0.rows, 9]).sliced(axis: 1, 4..<5)).sumPerRow() },
      [3, 3])
  }
}
