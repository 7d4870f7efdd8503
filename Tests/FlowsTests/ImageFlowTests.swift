import Flows
import TestSupport
import Testing

/// Image flows as people use them: temperature, conditional priors, dequantization, posteriors of joint
/// flows.
@Suite struct ImageFlowTests {
  private let glow = Flow.glow(levels: 2, steps: 1, hidden: 4)

  @Test func temperatureScalesTheLatents() throws {
    let (start, _, sample) = try glow(Key(0), inputDim: [4, 4, 1], dtype: .float64)
    let params = start.perturbed(Key(1))
    let (_, forward, _) = try glow.bijection(Key(0), inputDim: [4, 4, 1], dtype: .float64)
    let warm = try forward(params.child("bijection"), sample(Key(2), params, count: 3)).outputs
    let cool = try forward(
      params.child("bijection"), sample(Key(2), params, count: 3, temperature: 0.7)
    ).outputs
    #expect(isClose(cool, 0.7 * warm, 1e-9))
    #expect(
      try sample(Key(2), params, count: 3, temperature: 1).isIdentical(to: sample(Key(2), params, count: 3)))
  }

  @Test func temperatureOfConditionalPriors() throws {
    let flow = Flow(ActNorm(), prior: ConditionalNormal(MLP(hidden: [], lastWeight: .glorotUniform)))
    let (params, _, sample) = try flow(Key(0), inputDim: 2, contextDim: 3, dtype: .float64)
    let context = Tensor([[1, 0, 0]], dtype: .float64)
    let cold = try sample(Key(1), params, count: 50, temperature: 1e-9, given: context)
    #expect(isClose(cold, cold[0..<1].broadcast(to: [50, 2]), 1e-7))  // the mode
    let uniform = Flow(ActNorm(), prior: Uniform())
    let (other, _, draw) = try uniform(Key(0), inputDim: 2)
    #expect(throws: FlowError.self) { _ = try draw(Key(1), other, count: 2, temperature: 0.5) }
  }

  /// A joint flow's posterior: the observed lane does not depend on the unknowns, and comes back.
  @Test func theObservedLaneIsItsOwn() throws {
    let flow = Flow.jointHINT(observed: 3, layers: 3, hidden: [8])
    let (start, forward, inverse) = try flow.bijection(Key(0), inputDim: 5, dtype: .float64)
    let params = start.perturbed(Key(1))
    let (y, x) = (Key(2).normal([4, 3], dtype: .float64), Key(3).normal([4, 2], dtype: .float64))
    let z = try forward(params, concatenate([y, x], axis: 1)).outputs
    let other = try forward(params, concatenate([y, 5 * x], axis: 1)).outputs
    #expect(z.sliced(axis: 1, 0..<3).isIdentical(to: other.sliced(axis: 1, 0..<3)))
    let latent = concatenate([z.sliced(axis: 1, 0..<3), Key(4).normal([4, 2], dtype: .float64)], axis: 1)
    let back = try inverse(params, latent).outputs.sliced(axis: 1, 0..<3)
    #expect(isClose(back, y, 1e-10))
  }

  /// The same for images whose parts go out on the way: the first half of the latents is z_y.
  @Test(arguments: [1, 2, 3]) func theObservedLaneOfFactoredImages(_ levels: Int) throws {
    let flow = Flow.multiScaleJointHINT(channels: 1, levels: levels, steps: 1, hidden: 3, factorsOut: true)
    let (start, forward, inverse) = try flow.bijection(Key(0), inputDim: [8, 8, 2], dtype: .float64)
    let params = start.perturbed(Key(1))
    let (y, x) = (
      Key(2).normal([2, 8, 8, 1], dtype: .float64), Key(3).normal([2, 8, 8, 1], dtype: .float64)
    )
    let z = try forward(params, concatenate([y, x], axis: -1)).outputs.reshaped(to: [2, 128])
    let other = try forward(params, concatenate([y, 2 * x], axis: -1)).outputs.reshaped(to: [2, 128])
    #expect(z.sliced(axis: 1, 0..<64).isIdentical(to: other.sliced(axis: 1, 0..<64)))
    #expect(!isClose(z, other, 1e-3))
    let latent = concatenate([z.sliced(axis: 1, 0..<64), Key(4).normal([2, 64], dtype: .float64)], axis: 1)
    let back = try inverse(params, latent).outputs
    #expect(isClose(back.sliced(axis: -1, 0..<1), y, 1e-9))
  }

  /// Behind the normalization a flow sees mean 0 and deviation 1 of the initial contexts, whatever their
  /// units.
  @Test func contextsInOtherUnits() throws {
    let flow = Flow.glow(levels: 1, steps: 1, hidden: 4, normalizesContext: true)
    let (images, context) = (Key(1).normal([30, 2, 2, 1]), Key(2).normal([30, 2, 2, 1]))
    func loss(_ context: Tensor) throws -> Tensor {
      let (start, logPDF, _) = try flow(
        Key(0), inputDim: [2, 2, 1], contextDim: [2, 2, 1], initInputs: images, initContext: context)
      let normal = start.child("bijection").child("context")
      #expect(abs(normal["bias"].item - context.mean().item) < 1e-3 * max(1, abs(context.mean().item)))
      return try logPDF(
        start.replacing("bijection/base", by: start.child("bijection").child("base").perturbed(Key(3))),
        images, given: context)
    }
    #expect(isClose(try loss(context), try loss(1000 + 50 * context), 2e-2))
    #expect(throws: FlowError.self) { _ = try flow(Key(0), inputDim: [2, 2, 1]) }
  }

  /// A loop learns to invert a matrix: its estimates' error falls far below that of the zeros it starts from.
  @Test func aLoopLearnsAnInverse() throws {
    let matrix = Tensor([[1, 0.5], [-0.3, 0.8]])
    let loop = IRIMLoop(matrix, iterations: 3, hidden: [16])
    let truth = Key(1).normal([64, 2])
    let data = matmul(truth, matrix, transposeB: true)
    let (start, forward, _) = try Reversible(loop)(
      Key(0), inputDim: loop.stateDim, contextDim: loop.measurementDim)
    func error(_ params: Params) throws -> Tensor {
      let states = try forward(params, loop.start(rows: 64), given: data).outputs
      return square(loop.estimate(states) - truth).mean()
    }
    let before = try error(start).item
    let optimizer = Adam(learningRate: 1e-2)
    var (params, state) = (start, optimizer.initialize(start))
    for _ in 0..<150 {
      (params, state) = try optimizer.update(gradient(at: params, error), state, params)
    }
    let after = try error(params).item
    #expect(after < 0.1 * before, "\(before), then \(after)")
  }

  @Test func imagesThatDoNotFit() {
    #expect(throws: FlowError.self) { _ = try glow(Key(0), inputDim: [6, 4, 1]) }
    #expect(throws: FlowError.self) { _ = try glow(Key(0), inputDim: [4, 4, 1], contextDim: [3, 4, 1]) }
    #expect(throws: FlowError.self) { _ = try HINT(MLP(hidden: [2]))(Key(0), inputDim: 10) }
    #expect(throws: FlowError.self) { _ = try Hyperbolic(hidden: 2)(Key(0), inputDim: [2, 2, 3]) }
  }

  @Test func aDataDependentStart() throws {
    let images = 3 + 2 * Key(1).normal([40, 4, 4, 1])
    let (params, logPDF, _) = try glow(Key(0), inputDim: [4, 4, 1], initInputs: images)
    let (untouched, _, _) = try glow(Key(0), inputDim: [4, 4, 1])
    let (better, worse) = (try logPDF(params, images).mean().item, try logPDF(untouched, images).mean().item)
    #expect(better > worse + 10)
  }
}

/// Convolutions with an inverse against their definitions.
@Suite struct InvertibleConvolutionTests {
  /// What a position of an emerging convolution's first half sees: nothing behind it in row-major order.
  @Test func emergingLooksBackThenAhead() throws {
    let (start, forward, _) = try EmergingConvolution()(Key(0), inputDim: [3, 3, 2], dtype: .float64)
    let params = start.perturbed(Key(1), by: 0.5)
    let x = Key(2).normal([1, 3, 3, 2], dtype: .float64)
    let back = try params.replacing(
      "ahead", by: start.child("ahead").map { .zeros($0.shape, dtype: .float64) })
    let jacobian = rowJacobians(at: x) { try! forward(back, $0).outputs }[0]
    for (row, values) in (0..<18).map({ ($0, jacobian[$0].doubles) }) {
      #expect(values[(row + 1)...].enumerated().allSatisfy { $1 == 0 || (row + 1 + $0) / 2 == row / 2 })
    }
  }

  /// Periodic: an image moved around its edges gives the outcome moved likewise.
  @Test func periodicCommutesWithShifts() throws {
    let (params, forward, inverse) = try PeriodicConvolution()(Key(0), inputDim: [4, 5, 2], dtype: .float64)
    let x = Key(1).normal([2, 4, 5, 2], dtype: .float64)
    func moved(_ x: Tensor) -> Tensor {
      concatenate([x.sliced(axis: 2, 2..<5), x.sliced(axis: 2, 0..<2)], axis: 2)
    }
    let (there, elsewhere) = (try forward(params, x).outputs, try forward(params, moved(x)).outputs)
    #expect(isClose(elsewhere, moved(there), 1e-12))
    #expect(isClose(try inverse(params, there).outputs, x, 1e-10))
  }
}
