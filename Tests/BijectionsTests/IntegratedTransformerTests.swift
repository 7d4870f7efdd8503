import Bijections
import Networks
import Randomness
import Tensors
import TestSupport
import Testing

/// Numbers as rows of width 1, and one row of raw parameters for all.
private func forward(_ transformer: any Transformer, _ x: Tensor, _ raw: Tensor) -> (y: Tensor, slope: Tensor)
{
  let (y, logDet) = transformer.forward(
    x.expanded(axis: 1), raw.broadcast(to: [x.count, transformer.parameterCount]))
  return (y.reshaped(to: [x.count]), exp(logDet))
}

private let line = Tensor((0...60).map { 0.1 * Double($0) - 3 }, dtype: .float64)

/// The transformers that integrate: AUTM and UMNN.
@Suite struct IntegratedTransformerTests {
  /// With s = 0 the equation is v′ = p v + q, whose solution is known; p is small against its bound.
  @Test func aLinearEquationIsSolved() {
    let (p, q) = (0.7, -0.4)
    let raw = Tensor(
      [Double](repeating: 0, count: 8) + [p / (1 - 3 * p * p / 256).squareRoot(), q], dtype: .float64)
    let growth = exp(Tensor(p, dtype: .float64)).item
    let (y, slope) = forward(AUTM(units: 2), line, raw)
    #expect(isClose(y, growth * line + q * (growth - 1) / p, 1e-6))
    #expect(isClose(slope, .full([61], growth, dtype: .float64), 1e-6))
  }

  /// The error falls by 16 where the steps are halved, that of the slope too.
  @Test func theStepsAreOfOrderFour() {
    let raw = 0.8 * wave([14])
    func results(_ steps: Int) -> (y: Tensor, slope: Tensor) {
      forward(AUTM(units: 3, steps: steps, lipschitz: 5), line, raw)
    }
    let (exact, coarse, fine) = (results(400), results(10), results(20))
    for (a, b, c) in [(coarse.y, fine.y, exact.y), (coarse.slope, fine.slope, exact.slope)] {
      let order = (abs(a - c).doubles.max()! / abs(b - c).doubles.max()!)
      #expect(order > 12 && order < 22, "\(order)")
    }
  }

  /// Even where the bound of ∂g/∂v is reached and the steps are as few as allowed, the map increases.
  @Test func theMapIncreasesAtItsBound() {
    for (i, sign) in [1.0, -1, 1, -1].enumerated() {
      var raw = 50 * Key(i).normal([300, 18], dtype: .float64)
      if i > 1 {
        raw = concatenate([sign * abs(raw.sliced(axis: 1, 0..<4)), raw.sliced(axis: 1, 4..<18)], axis: 1)
      }
      let x = 2 * Key(9).normal([300, 1], dtype: .float64)
      let logDet = AUTM(units: 4, steps: 8, lipschitz: 8).forward(x, raw).logDet
      #expect(logDet.isFinite && logDet.doubles.allSatisfy { abs($0) < 9 })
      #expect(abs(logDet).doubles.max()! > 2)
    }
  }

  /// The quadrature's value and slope against one with many nodes; the integrand's slope is close to both.
  @Test func theQuadratureIsAccurate() {
    // z changes its sign, where elu has a kink.
    let raw = concatenate([wave([9]), Tensor([-1, 0.3], dtype: .float64)], axis: 0)
    let fine = forward(UMNN(units: 3, nodes: 400), line, raw)
    for slope in [UMNN.Slope.ofQuadrature, .ofIntegrand] {
      let own = forward(UMNN(units: 3, slope: slope), line, raw)
      #expect(isClose(own.y, fine.y, 2e-4))
      #expect(isClose(own.slope, fine.slope, 2e-3))
    }
    // Where z stays positive, f is smooth.
    let smooth = concatenate([0.5 * wave([9]), Tensor([4, 0], dtype: .float64)], axis: 0)
    let (a, b) = (forward(UMNN(units: 3), line, smooth), forward(UMNN(units: 3, nodes: 400), line, smooth))
    #expect(isClose(a.y, b.y, 1e-9))
    #expect(isClose(a.slope, b.slope, 1e-7))
  }

  /// Random large parameters: the sum increases although its nodes are fixed, and the tails are linear.
  @Test func theQuadratureIncreases() {
    for size in [1.0, 3, 8] {
      let raw = size * Key(1).normal([400, 14], dtype: .float64)
      let x = 4 * Key(2).normal([400, 1], dtype: .float64)
      #expect(UMNN(units: 4).forward(x, raw).logDet.isFinite)
    }
    let (y, slope) = forward(UMNN(units: 3), Tensor([6, 8, 1000], dtype: .float64), wave([11]))
    #expect(isClose(slope[1..<3], slope[0..<1].broadcast(to: [2])))
    let rise = (y[2..<3] - y[1..<2]) / 992
    #expect(isClose(rise, slope[0..<1]))
  }

  /// Increasing functions that these transformers come close to, 1e-3 in the largest error on [−3, 3].
  @Test(arguments: Goal.all) func fits(_ goal: Goal) throws {
    let (raw, steps) = try goal.fitted()
    let grid = Tensor((0...600).map { 0.01 * Double($0) - 3 }, dtype: .float64)
    let y = forward(goal.transformer, grid, raw).y
    let error = abs(y - Tensor(grid.doubles.map(goal.function), dtype: .float64)).doubles.max()!
    #expect(error < 1e-3, "\(error) after \(steps) steps")
  }

  /// A steep map, by parameters that are built instead of fitted.
  @Test func comesCloseToQuantiles() {
    let (raw, transformer) = (SteepUMNN.raw, SteepUMNN.transformer)
    let grid = Tensor((0...600).map { 0.01 * Double($0) - 3 }, dtype: .float64)
    let (y, slope) = forward(transformer, grid, raw)
    let error = abs(y - Tensor(grid.doubles.map(Goal.mixtureQuantile), dtype: .float64)).doubles.max()!
    #expect(error < 1e-3, "\(error)")
    #expect(slope.doubles.min()! > 0.3 && abs(slope.doubles[300] - Goal.mixtureSlope(0)) < 0.5)
    let back = transformer.inverse(y.expanded(axis: 1), raw.broadcast(to: [601, raw.count]))
    #expect(isClose(back.outputs.reshaped(to: [601]), grid, 1e-10))
  }

  @Test func misuseStopsTheProgram() async {
    func text(_ result: ExitTest.Result?) -> String {
      result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
    }
    let bound = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AUTM(steps: 8)
    }
    #expect(text(bound).contains("at most 8, the number of steps, got 16.0"))
    let steps = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AUTM(steps: 0)
    }
    #expect(text(steps).contains("at least one unit and one step, got 8 and 0"))
    let nodes = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = UMNN(nodes: 7)
    }
    #expect(text(nodes).contains("the number of nodes is even and positive, got 7"))
    let rate = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = UMNN(rate: 1)
    }
    #expect(text(rate).contains("the bound of the rates is above 1, got 1.0"))
  }
}
