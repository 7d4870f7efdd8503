import Flows
import TestSupport
import Testing

@testable import Randomness

/// The sixteen mistakes of jax-flows, one test each: what went wrong there is asked for here, in a few lines.
/// The laws, the reference values and the tests of each family go deeper.
@Suite struct JaxFlowsMistakesTests {
  private let net = MLP(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)
  private let made = MADE(hidden: [6], activation: .tanh, lastWeight: .glorotUniform)

  /// log|det| of a forward pass, which is not 0, and that of the way back.
  private func logDets(_ bijection: any Bijection, inputDim: Shape = 4) throws -> (
    there: Tensor, back: Tensor
  ) {
    let (params, forward, inverse) = try bijection(Key(1), inputDim: inputDim, dtype: .float64)
    let (y, there) = try forward(params, wave(inputDim.batched(3)))
    #expect(there.doubles.allSatisfy { abs($0) > 1e-3 })
    return (there, try inverse(params, y).logDet)
  }

  @Test func m01TheInverseOfACouplingHasTheOtherSign() throws {
    for bijection in [
      AffineCoupling(net, scale: .exponential), AffineCouplingSplit(scale: net, translate: net),
    ] as [any Bijection] {
      let (there, back) = try logDets(bijection)
      #expect(isClose(back, -there, 1e-12))
      try LogDetCheck(of: bijection, inputDim: 4, key: Key(2)).verify()
    }
  }

  @Test func m02TheInverseOfAMaskedFlowHasTheOtherSign() throws {
    let (there, back) = try logDets(Autoregressive(made, Affine(scale: .exponential)))
    #expect(isClose(back, -there, 1e-12))
    try LogDetCheck(of: Autoregressive(made), inputDim: 4, key: Key(2)).verify()
  }

  @Test func m03SplineCouplingsUseTheParametersGiven() throws {
    let (params, forward, _) = try Coupling(net, RationalQuadraticSpline())(
      Key(1), inputDim: 4, dtype: .float64)
    let (other, _, _) = try Coupling(net, RationalQuadraticSpline())(Key(2), inputDim: 4, dtype: .float64)
    let x = wave([5, 4])
    #expect(!isClose(try forward(other, x).outputs, try forward(params, x).outputs, 1e-3))
    let slopes = try gradient(at: params) { try forward($0, x).logDet.sum() }
    #expect(slopes.leaves.allSatisfy { square($0).sum().item > 0 })
  }

  /// A derivative at a knot goes down to the minimum, not to log 2 above it.
  @Test func m04SplinesNormalizeOnce() {
    let raw = Tensor([[0, 0, 0, 0, -1e4]], dtype: .float64)  // two equal bins meet at 0
    let spline = RationalQuadraticSpline(bins: 2, minimumDerivative: 1e-3)
    let slope = exp(spline.forward(Tensor([[0]], dtype: .float64), raw).logDet).item
    #expect(abs(slope - 1e-3) < 1e-12)
  }

  @Test(arguments: [1, 3, 5, 7]) func m05OddDimensionsAndAnyInputs(_ size: Int) throws {
    let spline = Serial(
      Coupling(net, RationalQuadraticSpline(bins: 5)),
      Coupling(net, RationalQuadraticSpline(bins: 5), split: .firstHalf.swapped))
    let (params, forward, inverse) = try spline(Key(1), inputDim: Shape([size]))
    for value in [-1e6, -3, 0, 3, 3.0000002, 1e6] {
      let x = Tensor.full([2, Shape([size]).count], value)
      let (y, logDet) = try forward(params, x)
      #expect(y.isFinite && logDet.isFinite)
      #expect(isClose(try inverse(params, y).outputs, x, 1e-5))
    }
  }

  @Test func m06BatchNormsStatisticsMoveAndItsInverseComesFirst() throws {
    let (params, forward, inverse) = try BatchNorm(momentum: 0.5)(Key(0), inputDim: 2)
    #expect(try inverse(params, Tensor([[1, 2]])).outputs.isFinite, "before any forward pass")
    let moved = try forward.updatingStatistics(params, Tensor([[2, 0], [6, 0]]))
    let (_, evaluate, _) = try BatchNorm(mode: .evaluation)(Key(0), inputDim: 2)
    #expect(moved["runningMean"].doubles == [2, 0])
    #expect(!isClose(try evaluate(moved, Tensor([[1, 2]])).outputs, Tensor([[1, 2]]), 0.1))
  }

  /// What comes with the call reaches every member, however deep; a mode is part of the layer.
  @Test func m07SerialPassesOnWhatTheCallBrings() throws {
    let nested = Serial(Reverse(), Serial(Inverted(AffineCoupling(net)), BatchNorm(mode: .evaluation)))
    let (params, forward, _) = try nested(Key(0), inputDim: 4, contextDim: 2)
    let x = wave([2, 4], dtype: .float32)
    let (a, b) = (
      try forward(params, x, given: .zeros([2, 2])), try forward(params, x, given: .ones([2, 2]))
    )
    #expect(!isClose(a.outputs, b.outputs, 1e-3) && !isClose(a.logDet, b.logDet, 1e-3))
  }

  @Test func m08InvertedAndFlowPassTheInitialInputsOn() throws {
    let data = 5 + 3 * Key(3).normal([200, 2], dtype: .float64)
    for layer in [Inverted(ActNorm()), Serial(Shuffle(), Inverted(Serial(Reverse(), ActNorm())))]
      as [any Bijection]
    {
      let (params, logPDF, _) = try Flow(layer)(Key(0), inputDim: 2, initInputs: data, dtype: .float64)
      let (_, forward, _) = try layer(Key(0), inputDim: 2, dtype: .float64)
      let z = try forward(params.child("bijection"), data).outputs
      #expect(isClose(z.mean(axis: 0), .zeros([2], dtype: .float64), 1e-5))
      #expect(isClose(square(z).mean(axis: 0), .ones([2], dtype: .float64), 1e-4))
      #expect(try logPDF(params, data).mean().item > -6)
    }
  }

  @Test func m09ThePriorsParametersAreAmongTheFlows() throws {
    let (params, logPDF, _) = try Flow(Reverse(), prior: Normal(.learned))(Key(0), inputDim: 2)
    let slopes = try gradient(at: params) { try logPDF($0, Tensor([[1, 2]])).sum() }
    #expect(params.paths.filter { $0.hasPrefix("prior/") }.count == 2)
    #expect(slopes.leaves.allSatisfy { square($0).sum().item > 0 })
  }

  @Test func m10ATreeIsTheFunctionUnderAnyKey() throws {
    let layers = Serial(
      Shuffle(), InvertibleLinear(), FixedInvertibleLinear(), AffineCoupling(net, split: .random), Rotation(),
      Autoregressive(MADE(hidden: [6], order: .random, hiddenDegrees: .random, lastWeight: .glorotUniform)))
    let x = wave([3, 5], dtype: .float32)
    let (params, forward, _) = try layers(Key(1), inputDim: 5)
    let (_, other, _) = try layers(Key(2), inputDim: 5)
    #expect(try other(params, x).outputs.isIdentical(to: forward(params, x).outputs))
    #expect(try other(params, x).logDet.isIdentical(to: forward(params, x).logDet))
  }

  @Test func m11SaturatedSigmoidsHaveALogDetAndLogitDoesNotClip() throws {
    let (params, forward, inverse) = try Sigmoid()(Key(0), inputDim: 1)
    for x in [-100.0, 18, 100] {
      #expect(abs(try forward(params, Tensor([[x]])).logDet.item + abs(x)) < 1e-4)
    }
    #expect(abs(try inverse(params, Tensor([[1e-20]])).outputs.item + 46.0517) < 1e-3)
    #expect(throws: FlowError.self) { try inverse(params, Tensor([[1]])) }
  }

  /// `DistributionDetailTests.mixtureDrawsEachComponentByItsWeight` counts the draws.
  @Test(arguments: [(1, 1), (1, 3), (4, 1), (0, 2)]) func m12DrawsKeepTheirShape(_ count: Int, _ size: Int)
    throws
  {
    let (mean, covariance) = (
      [Double](repeating: 0, count: size),
      (0..<size).map { i in (0..<size).map { $0 == i ? 1.0 : 0 } }
    )
    let mixture = GaussianMixture(
      means: [mean, mean], covariances: [covariance, covariance], weights: [0.9, 0.1])
    let (params, logPDF, sample) = try mixture(Key(0), inputDim: Shape([size]))
    let draws = try sample(Key(1), params, count: count)
    #expect(draws.shape == Shape([count, size]))
    #expect(try logPDF(params, draws).shape == Shape([count]))
  }

  @Test func m13ScalesAreBoundedAndMatricesStayInvertible() throws {
    let raw = Tensor([[1e6, -1e6, 0, 0]], dtype: .float64)
    #expect(exp(abs(Affine().forward(Tensor([[1, 1]], dtype: .float64), raw).outputs)).isFinite)
    for form in [LogScale.bounded(2), .bounded(0.5)] {
      let one = Tensor([[1e9, 0]], dtype: .float64)
      let logDet = Affine(scale: form).forward(Tensor([[1]], dtype: .float64), one).logDet.item
      #expect(logDet > 0.4 && logDet <= 2)
    }
    // However far the parameters move, no diagonal entry crosses 0.
    let (params, forward, inverse) = try InvertibleLinear()(Key(0), inputDim: 4, dtype: .float64)
    for step in [-3.0, -1, 1, 3] {
      let moved = params.mapLearned { $0 + step }
      let (y, logDet) = try forward(moved, wave([3, 4]))
      let back = try inverse(moved, y).outputs
      #expect(logDet.isFinite && isClose(back, wave([3, 4]), 1e-6))
    }
  }

  @Test func m14AKeyServesOnce() throws {
    let data = Key(9).normal([100, 2])
    let recorder = KeyRecorder()
    try Parallelism.$threads.withValue(1) {
      try KeyRecorder.$current.withValue(recorder) {
        _ = try fit(
          Flow(Serial(InvertibleLinear(), AffineCoupling(net))), to: data,
          by: Contrastive(atoms: 3) { .zeros([$0.rows]) }, key: Key(3), epochs: 3, batchSize: 32,
          augment: { key, rows in rows + 0.01 * key.normal(rows.shape) }, progress: .silent)
      }
    }
    #expect(recorder.reuses == [] && recorder.keyCount > 15)
  }

  @Test func m15MasksOfOneNumber() throws {
    for context in [nil, 2] as [Shape?] {
      let (params, forward, inverse) = try Autoregressive(made)(Key(0), inputDim: 1, contextDim: context)
      let given = context.map { Tensor.ones($0.batched(2)) }
      let (y, logDet) = try forward(params, Tensor([[1], [2]]), given: given)
      #expect(y.isFinite && logDet.isFinite)
      #expect(isClose(try inverse(params, y, given: given).outputs, Tensor([[1], [2]]), 1e-5))
    }
  }

  /// x comes back within a tolerance, not to the bit: 10⁻⁵ in float32 and 10⁻¹² in float64 for a flow of this
  /// size.
  @Test func m16RoundTripsHaveATolerance() throws {
    let layers = Serial(
      (0..<4).flatMap { _ in [ActNorm(), InvertibleLinear(), AffineCoupling(net)] as [any Bijection] })
    for (dtype, tolerance) in [(DType.float32, 1e-5), (.float64, 1e-12)] {
      let x = wave([50, 6], dtype: dtype)
      let (params, forward, inverse) = try layers(Key(0), inputDim: 6, dtype: dtype)
      let back = try inverse(params, forward(params, x).outputs).outputs
      #expect(isClose(back, x, tolerance) && !back.isIdentical(to: x))
    }
  }
}
