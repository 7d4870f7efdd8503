import Bijections
import Distributions
import Randomness
import Tensors
import Testing
import Training
import Verification

/// The map from the banana to standard normal latents, written independently of the target.
let bananaFlow = Flow(
  Lambda { _, site in
    site.layer("straight", .empty) { _, x, _ in
      let (a, b) = (x.sliced(axis: 1, 0..<1), x.sliced(axis: 1, 1..<2))
      let logDet = Tensor.full([x.rows], -log(Tensor(10, dtype: .float64)).item, dtype: x.dtype)
      return (concatenate([a / 10, b + 0.1 * a * a - 10], axis: 1), logDet)
    } inverse: { _, z, _ in
      let (a, b) = (10 * z.sliced(axis: 1, 0..<1), z.sliced(axis: 1, 1..<2))
      let logDet = Tensor.full([z.rows], log(Tensor(10, dtype: .float64)).item, dtype: z.dtype)
      return (concatenate([a, b - 0.1 * a * a + 10], axis: 1), logDet)
    }
  })

@Suite struct ObjectiveTests {
  private let target = Target("normal", inputDim: 2) { x in
    let z = (x - 0.5) / Tensor([0.7, 1.4], dtype: .float64).cast(to: x.dtype)
    return 3 - 0.5 * square(z).sumPerRow()
  }

  private func step(_ flow: some Distribution, _ target: Target, dtype: DType = .float64) throws -> (
    params: Params, step: TrainingStep
  ) {
    let (params, logPDF, sample) = try flow(Key(1), inputDim: target.inputDim, dtype: dtype)
    return (
      params,
      TrainingStep(logPDF: logPDF, sample: sample, target: target, key: Key(2))
    )
  }

  /// The exact flow reaches the log-normalizer of a target known up to a constant, in both dtypes.
  @Test(arguments: [DType.float32, .float64]) func exactFlowScoresTheTruth(_ dtype: DType) throws {
    let banana = try Target(Banana(), inputDim: 2)
    let shifted = Target("banana, off by a constant", inputDim: 2, logNormalizer: 1.25) {
      (x) throws(FlowError) in try banana.logDensity(x) + 1.25
    }
    let (params, at) = try step(bananaFlow, shifted, dtype: dtype)
    for objective: any Objective in [
      VariationalBound.reverseKL(), VariationalBound.reverseKL(estimator: .doublyReparameterized),
      VariationalBound.importanceWeighted(),
      VariationalBound.alphaDivergence(0.5), VariationalBound.alphaDivergence(2),
    ] {
      let loss = try objective.valueAndGradient(at: params, at).value.item
      #expect(abs(-loss - 1.25) < 1e-5, "\(objective): \(loss)")
    }
    let weights = try ImportanceWeights(at.sample, params, of: shifted, key: Key(3), draws: 1_000)
    #expect(abs(weights.elbo - 1.25) < 1e-5)
    #expect(abs(weights.logEvidence - 1.25) < 1e-5)
    #expect(weights.elboError < 1e-5)
    #expect(weights.effectiveSampleSize > 999.99)
  }

  /// A loss is a function of the parameters once its key is fixed: central differences along each leaf.
  @Test func pathwiseGradientsAreThoseOfTheLoss() throws {
    let (params, at) = try step(Normal(location: .learned(from: 0.2), scale: .learned(from: 1.1)), target)
    for objective: any Objective in [
      VariationalBound.reverseKL(draws: 300),
      VariationalBound.importanceWeighted(particles: 4, groups: 70, estimator: .pathwise),
      VariationalBound.alphaDivergence(0.3, particles: 3, groups: 50, estimator: .pathwise),
      WeightedSum(
        (0.25, VariationalBound.reverseKL(draws: 20)),
        (2, ForwardKL(on: Key(5).normal([40, 2], dtype: .float64)))),
      Annealed(VariationalBound.reverseKL(draws: 20), inverseTemperature: 0.3),
    ] {
      let gradient = try objective.valueAndGradient(at: params, at).gradient
      let direction = params.learned.filled(with: 0).perturbed(Key(7), by: 1)
      func loss(_ by: Double) throws -> Double {
        try objective.valueAndGradient(at: params.zipLearned(with: direction) { $0 + by * $1 }, at).value.item
      }
      let slope = (try loss(1e-6) - loss(-1e-6)) / 2e-6
      let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
      #expect(abs(claimed - slope) < 1e-6 * max(1, abs(slope)), "\(objective)")
    }
  }

  /// Both estimators have one mean, whatever α.
  @Test(arguments: [1.0, 0, 0.5, 2]) func doublyReparameterizedGradientsAreUnbiased(_ alpha: Double) throws {
    let (params, at) = try step(Normal(location: .learned(from: 0.2), scale: .learned(from: 1.2)), target)
    func gradient(_ estimator: GradientEstimator) throws -> [Double] {
      try VariationalBound.alphaDivergence(alpha, particles: 4, groups: 30_000, estimator: estimator)
        .valueAndGradient(at: params, at).gradient.leaves.flatMap(\.doubles)
    }
    for (a, b) in zip(try gradient(.pathwise), try gradient(.doublyReparameterized)) {
      #expect(abs(a - b) < 0.02, "\(a) and \(b)")
    }
  }

  /// Sticking the landing: no variance, and no gradient, where the flow is exact.
  @Test func gradientVanishesAtTheExactFlow() throws {
    let exact = Normal(
      location: .learned(from: 0.5), scale: .learned(from: Tensor([0.7, 1.4], dtype: .float64)))
    let (params, at) = try step(exact, target)
    for objective: any Objective in [
      VariationalBound.reverseKL(draws: 10, estimator: .doublyReparameterized),
      VariationalBound.importanceWeighted(particles: 5, groups: 3),
      VariationalBound.alphaDivergence(0.5, particles: 5, groups: 3),
    ] {
      #expect(try objective.valueAndGradient(at: params, at).gradient.norm < 1e-12)
    }
    #expect(try VariationalBound.reverseKL(draws: 10).valueAndGradient(at: params, at).gradient.norm > 1e-3)
  }

  /// The self-normalized weights turn draws from the flow into the target's: the gradient is that of a
  /// cross-entropy whose minimum is the target, here known in closed form.
  @Test func selfNormalizedForwardKLPointsAtTheTarget() throws {
    let (params, at) = try step(
      Normal(location: .learned(from: 0), scale: .learned(from: 2)), target)
    let gradient = try SelfNormalizedForwardKL(draws: 200_000).valueAndGradient(at: params, at).gradient
    // ∂/∂m of E_p[½ ((x − m) / s)² + log s] is (m − μ) / s²; by log s it is 1 − (σ² + (m − μ)²) / s².
    let expected = [-0.125, -0.125, 1 - (0.49 + 0.25) / 4, 1 - (1.96 + 0.25) / 4]
    for (a, b) in zip(gradient.leaves.flatMap(\.doubles), expected) { #expect(abs(a - b) < 0.01) }
  }

  @Test func perSampleAndBatchedTargetsAreOne() throws {
    let single = Target.perSample("normal", inputDim: 2) { x in
      3 - 0.5 * square((x - 0.5) / Tensor([0.7, 1.4], dtype: .float64)).sum()
    }
    let (params, at) = try step(Normal(.learned), target)
    var other = at
    other.target = single
    let (a, b) = (
      try VariationalBound.reverseKL(draws: 30).valueAndGradient(at: params, at),
      try VariationalBound.reverseKL(draws: 30).valueAndGradient(at: params, other)
    )
    #expect(abs(a.value.item - b.value.item) < 1e-12)
    #expect(abs(a.gradient.norm - b.gradient.norm) < 1e-12)
  }

  @Test func targetsRefuseWhatDoesNotFit() throws {
    #expect(throws: FlowError.self) { try target(Tensor.zeros([3, 4])) }
    let wrong = Target("sums all", inputDim: 2) { x in x.sum() }
    #expect(throws: FlowError.self) { try wrong(Tensor.zeros([3, 2])) }
    #expect(throws: FlowError.self) { try Target(WarpedGaussian(), inputDim: 3) }
    #expect(throws: FlowError.self) { try Target(Banana(), inputDim: 1) }
  }
}
