import Bijections
import Distributions
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

/// Layers that carry log-weights: surjections, Markov steps and annealed importance sampling.
@Suite struct WeightedTests {
  private static let net = MLP(hidden: [4], activation: .tanh, lastWeight: .glorotUniform)

  private static let exact: [(name: String, flow: WeightedFlow)] = [
    ("absolute", WeightedFlow([AbsoluteSurjection(), Weighted(Inverted(Softplus())), Weighted(ActNorm())])),
    (
      "slice",
      WeightedFlow([
        Weighted(AffineCoupling(net, scale: .bounded(0.5))),
        SliceSurjection(keeping: 1, dropped: ConditionalNormal(net, scale: .bounded(0.5))),
      ])
    ),
    ("maximum", WeightedFlow([MaxSurjection()])),
    ("bijection", WeightedFlow([Weighted(AffineCoupling(net))])),
  ]

  private func moved(
    _ flow: WeightedFlow
  ) throws -> (params: Params, logDensity: WeightedFlow.Estimate, sample: Sampler) {
    let (params, logDensity, sample) = try flow(Key(1), inputDim: 2, dtype: .float64)
    return (params.perturbed(Key(2), by: 0.2), logDensity, sample)
  }

  /// Surjections that lose numbers on the way to the latents have an exact density: mass 1, the same for all
  /// keys, and that of the draws.
  @Test(arguments: exact.indices) func surjectionsHaveDensities(_ i: Int) throws {
    let (name, flow) = Self.exact[i]
    let (params, logDensity, sample) = try moved(flow)
    let (count, end) = (120, 12.0)
    let width = 2 * end / Double(count)
    let line = Tensor((0..<count).map { (Double($0) + 0.5) * width - end }, dtype: .float64)
    let square = Shape(count, count)
    let both = [line.expanded(axis: 1).broadcast(to: square), line.broadcast(to: square)]
    let points = stack(both, axis: 2).reshaped(to: [count * count, 2])
    let density = exp(try logDensity(Key(3), params, points))
    let cell = width * width
    #expect(abs(density.sum().item * cell - 1) < 0.02, "\(name): \(density.sum().item * cell)")

    let (draws, estimate) = try sample.withLogPDF(Key(4), params, count: 3000)
    #expect(isClose(try logDensity(Key(5), params, draws), estimate, 1e-8), "\(name)")
    let expected = (density.expanded(axis: 1) * abs(points)).sum(axis: 0) * cell
    let error = abs(abs(draws).mean(axis: 0) - expected)
    #expect(error.doubles.allSatisfy { $0 < 0.1 }, "\(name): \(error)")
  }

  /// The density of an absolute value's two signs is half that of its latents.
  @Test func theWeightOfAnAbsoluteValue() throws {
    let flow = WeightedFlow([AbsoluteSurjection()], prior: Gamma(concentration: 2))
    let (params, logDensity, _) = try flow(Key(1), inputDim: 1, dtype: .float64)
    let x = Tensor([[-1.5], [0.2]], dtype: .float64)
    let (gamma, logPDF, _) = try Gamma(concentration: 2)(Key(0), inputDim: 1, dtype: .float64)
    let expected = try logPDF(gamma, abs(x)) - 0.69314718055994530942
    #expect(isClose(try logDensity(Key(0), params, x), expected, 1e-12))
  }

  /// The mean of the estimate's exponential is the probability of a whole number, P(⌊z⌋ = x) for normal z.
  @Test func roundingIsABound() throws {
    let (params, logDensity, sample) = try WeightedFlow([RoundingSurjection()])(
      Key(1), inputDim: 1, dtype: .float64)
    let x = Tensor.full([4000, 1], 1, dtype: .float64)
    let estimates = try logDensity(Key(2), params, x)
    let exact = 0.135905121983278  // Φ(2) − Φ(1)
    #expect(abs(exp(estimates).mean().item - exact) < 0.004)
    #expect(estimates.mean().item < log(Tensor(exact, dtype: .float64)).item)
    let draws = try sample(Key(3), params, count: 4000)
    #expect(isClose(floor(draws), draws, 0))
    #expect(abs((draws .== 1).mean().item - exact) < 0.025)
  }

  /// The log-density of a normal with mean (1, −1) and covariance of determinant 0.36, times 3.
  private static let target: Hamiltonian.LogDensity = { x in
    let (a, b) = (x.sliced(axis: 1, 0..<1) - 1, x.sliced(axis: 1, 1..<2) + 1)
    let quadratic = (square(a) - 1.6 * a * b + square(b)).sumPerRow() / 0.36
    let constant = 0.5 * log(Tensor(0.36, dtype: x.dtype)).item + 1.8378770664093454836
    return -0.5 * quadratic - constant + log(Tensor(3, dtype: x.dtype)).item
  }

  private static let steps: [@Sendable (@escaping Hamiltonian.LogDensity) -> any WeightedLayer] = [
    { MetropolisStep(scale: 0.7, repeats: 2, logDensity: $0) },
    { HamiltonianStep(stepSize: 0.3, leaps: 3, logDensity: $0) },
  ]

  /// The evidence of a Gaussian is known: 3. The weighted mean is (1, −1).
  @Test(arguments: steps.indices, [DType.float32, .float64])
  func annealingFindsTheEvidence(_ i: Int, _ dtype: DType) throws {
    let prior = try Normal()(Key(0), inputDim: 2, dtype: dtype)
    let annealed = AnnealedSampling(levels: 12, step: Self.steps[i])
    let (draws, logWeights) = try annealed(Key(6), from: prior, to: Self.target, count: 1500)
    let weights = exp(logWeights)
    let evidence = weights.mean().item
    #expect(abs(evidence - 3) < 0.3, "\(evidence)")
    let mean = (weights.expanded(axis: 1) * draws).mean(axis: 0) / evidence
    #expect(abs(mean - Tensor([1, -1], dtype: dtype)).doubles.allSatisfy { $0 < 0.2 }, "\(mean)")
    let again = try annealed(Key(6), from: prior, to: Self.target, count: 1500)
    #expect(again.logWeights.isIdentical(to: logWeights) && again.samples.isIdentical(to: draws))
  }

  /// A target of bounded support has weights of 0, not NaN: half of a normal density has the evidence 1/2.
  @Test(arguments: steps.indices) func targetsMayBeZeroSomewhere(_ i: Int) throws {
    let prior = try Normal()(Key(0), inputDim: 1, dtype: .float64)
    let (params, logPDF, _) = prior
    let half: Hamiltonian.LogDensity = { (x) throws(FlowError) in
      select(where: (x .< 0).sumPerRow() .> 0, -.infinity, try logPDF(params, x))
    }
    let (draws, logWeights) = try AnnealedSampling(levels: 4, step: Self.steps[i])(
      Key(7), from: prior, to: half, count: 1_000)
    #expect(logWeights.doubles.allSatisfy { !$0.isNaN })
    #expect(abs(exp(logWeights).mean().item - 0.5) < 0.06)
    #expect(zip(draws.doubles, logWeights.doubles).allSatisfy { $0 >= 0 || $1 == -.infinity })
  }

  /// Rounding never reaches the next whole number, and numbers that are not whole have no density.
  @Test func noiseStaysBelowTheNextNumber() throws {
    let (params, forward, _) = try RoundingSurjection().initialize(
      Key(1), at: Site(inputDim: [3_072], dtype: .float32))
    let z = try forward(Key(2), params, Tensor.full([100, 3_072], 255)).outputs
    #expect(isClose(floor(z), Tensor.full([100, 3_072], 255), 0))
    let broken = try forward(Key(2), params, Tensor.full([1, 3_072], 0.5)).logWeight
    #expect(broken.item == -.infinity)
  }

  /// Where a dtype has whole numbers alone, they come back.
  @Test func largeWholeNumbersComeBack() throws {
    for (dtype, first) in [(DType.float32, 8_388_605.0), (.float64, 4_503_599_627_370_493)] {
      let (params, forward, inverse) = try RoundingSurjection().initialize(
        Key(1), at: Site(inputDim: [1], dtype: dtype))
      let near = (0..<6).flatMap { i in [1, 1.5, 2, 3].map { first * $0.rounded(.down) + Double(2 * i) } }
      let x = Tensor(near + near.map { -$0 } + [12_582_913, 0, -1], dtype: dtype).expanded(axis: 1)
      for key in Key(2).split(20) {
        let z = try forward(key, params, x).outputs
        #expect(try inverse(key, params, z).outputs.isIdentical(to: x))
      }
    }
  }

  /// A target that is NaN outside of its support has weights of 0 there. The evidence of x e^(−x) is 1.
  @Test(arguments: steps.indices) func targetsMayBeNaNSomewhere(_ i: Int) throws {
    let prior = try Normal(location: 1, scale: 2)(Key(0), inputDim: 1, dtype: .float64)
    let target: Hamiltonian.LogDensity = { x in (log(x) - x).sumPerRow() }
    let (_, logWeights) = try AnnealedSampling(levels: 6, step: Self.steps[i])(
      Key(8), from: prior, to: target, count: 2_000)
    #expect(logWeights.doubles.allSatisfy { !$0.isNaN } && logWeights.doubles.contains(-.infinity))
    let evidence = exp(logWeights).mean().item
    #expect(abs(evidence - 1) < 0.1, "\(evidence)")
  }

  /// A step keeps its target: draws of it stay draws of it, and the log-weight is the change of log π.
  @Test(arguments: steps.indices) func stepsKeepTheirTarget(_ i: Int) throws {
    let target = MultivariateNormal(mean: [1, -1], covariance: [[1, 0.8], [0.8, 1]])
    let (params, _, sample) = try target(Key(0), inputDim: 2, dtype: .float64)
    let start = try sample(Key(1), params, count: 3000)
    let site = Site(inputDim: 2, dtype: .float64)
    let (none, forward, _) = try Self.steps[i](Self.target).initialize(Key(2), at: site)
    let (end, logWeight) = try forward(Key(3), none, start)
    #expect(isClose(logWeight, try Self.target(start) - Self.target(end), 1e-10))
    let moved = (abs(end - start).sumPerRow() .> 0).mean().item
    #expect(moved > 0.3, "\(moved)")
    let centred = end - Tensor([1, -1], dtype: .float64)
    let covariance = matmul(centred, centred, transposeA: true) / 3000
    #expect(isClose(covariance, Tensor([[1, 0.8], [0.8, 1]], dtype: .float64), 0.1), "\(covariance)")
  }

  /// A stochastic normalizing flow: couplings and Metropolis steps, whose weights estimate the evidence.
  @Test func stochasticFlow() throws {
    let flow = WeightedFlow([
      MetropolisStep(scale: 0.5, repeats: 3, logDensity: Self.target), Weighted(TriangularAffine()),
    ])
    let (initial, _, sample) = try flow(Key(1), inputDim: 2, dtype: .float64)
    let params = try initial.replacing(
      "layers/1/bias", by: .leaf(Tensor([-1, 1], dtype: .float64)))
    let (draws, estimate) = try sample.withLogPDF(Key(2), params, count: 3000)
    let evidence = exp(try Self.target(draws) - estimate).mean().item
    #expect(abs(evidence - 3) < 0.3, "\(evidence)")
  }

  @Test func wrongShapesAreRefused() {
    for (layer, dim) in [
      (SliceSurjection(keeping: 2, dropped: Normal()), Shape(2)), (MaxSurjection(), Shape(2, 2)),
      (HamiltonianStep(stepSize: 0.1, logDensity: Self.target), Shape(2, 2)),
    ] as [(any WeightedLayer, Shape)] {
      #expect(throws: FlowError.self) { _ = try WeightedFlow([layer])(Key(0), inputDim: dim) }
    }
  }
}
