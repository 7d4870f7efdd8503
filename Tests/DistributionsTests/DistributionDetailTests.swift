import Bijections
import Distributions
import Foundation
import Networks
import Randomness
import Tensors
import TestSupport
import Testing
import Verification

@Suite struct DistributionDetailTests {
  /// jax-flows takes the weights as logits and draws these clusters as (.50, .26, .24).
  @Test func mixtureDrawsEachComponentByItsWeight() throws {
    let centres = [[-3.0, 0], [2, 2], [0, -4]]
    let near = [[0.01, 0], [0, 0.01]]
    let mixture = GaussianMixture(
      means: centres, covariances: [near, near, near], weights: [0.8, 0.15, 0.05])
    let (params, _, sample) = try mixture(Key(0), inputDim: 2)
    let draws = try sample(Key(1), params, count: 20_000)
    for (centre, weight) in zip(centres, [0.8, 0.15, 0.05]) {
      let isNear = square(draws - Tensor(centre)).sumPerRow() .< 1
      let error = 4 * (weight * (1 - weight) / 20_000).squareRoot()
      #expect(
        abs(isNear.mean().item - weight) <= error, "\(centre): \(isNear.mean().item), expected \(weight)")
    }
  }

  @Test func mixtureWeightsAreRelativeAndMayBeZero() throws {
    let parts: [any Distribution] = [Normal(), Normal(location: 3, scale: 1), Normal(location: -3, scale: 1)]
    let (a, density, sample) = try Mixture(parts, weights: [0.25, 0.75, 0])(
      Key(0), inputDim: 1, dtype: .float64)
    let (b, scaled, _) = try Mixture(Array(parts.prefix(2)), weights: [2, 6])(
      Key(0), inputDim: 1, dtype: .float64)
    let x = Tensor([[-5], [0], [1.25]], dtype: .float64)
    #expect(try isClose(density(a, x), scaled(b, x), 1e-12))
    #expect(try sample(Key(1), a, count: 2000).doubles.allSatisfy { $0 > -5 })
  }

  @Test func outsideTheSupportTheDensityIsZeroAndTheGradientFinite() throws {
    let learned = Normal(.learned)
    for distribution in [
      Uniform(), Product([Uniform()]), Mixture([Uniform(), Uniform(from: 0.5, to: 0.75)]),
      Flow(ActNorm(), prior: Uniform()), Product([Mixture([Uniform()])]),
    ] as [any Distribution] {
      let (params, logPDF, _) = try distribution(Key(0), inputDim: 1)
      let x = Tensor([[-0.1], [1.1], [1e30], [-100]])
      #expect(try logPDF(params, x).doubles.allSatisfy { $0 == -.infinity }, "\(distribution)")
      #expect(try logPDF(params, Tensor([[.infinity]])).item == -.infinity, "\(distribution)")
      let edges = Tensor([[0], [1], [0.5]])
      #expect(try logPDF(params, edges).isFinite, "\(distribution)")
      let gradient = try valueAndGradient(at: params) { try logPDF($0, x).sum() }.gradient
      #expect(gradient.leaves.allSatisfy { $0.isFinite }, "\(distribution): \(gradient)")
    }
    // One component covers what the other does not.
    let (params, logPDF, _) = try Mixture([Uniform(), learned])(Key(0), inputDim: 1)
    let (value, gradient) = try valueAndGradient(at: params) { try logPDF($0, Tensor([[3.0]])).sum() }
    #expect(value.isFinite && gradient.leaves.allSatisfy { $0.isFinite })
  }

  @Test func uniformDrawsStayInside() throws {
    for dtype in [DType.float32, .float64] {
      let (params, logPDF, sample) = try Uniform(from: 1000, to: 1000.0001)(Key(0), inputDim: 8, dtype: dtype)
      let draws = try sample(Key(1), params, count: 500)
      #expect(try logPDF(params, draws).isFinite)
    }
  }

  @Test func heavyTailsDoNotOverflow() throws {
    for distribution in [Cauchy(), StudentT(degreesOfFreedom: 1)] as [any Distribution] {
      let (params, logPDF, _) = try distribution(Key(0), inputDim: 1)
      let density = try logPDF(params, Tensor([[1e30], [-1e30], [1], [-1]]))
      let expected = -2 * log(1e30) - log(.pi)
      #expect(
        isClose(density, Tensor([expected, expected, -log(2 * .pi), -log(2 * .pi)]), 1e-5), "\(density)")
      let slope = try gradient(at: Tensor([[1e30], [1], [-1], [0]])) { try logPDF(params, $0).sum() }
      #expect(isClose(slope, Tensor([[-2e-30], [-1], [1], [0]]), 1e-6), "\(slope)")
    }
  }

  @Test func saturatedDensitiesAreFinite() throws {
    // A funnel's density at (-100, ..., -100) is below what float32 can say the logarithm of. The others
    // are 0 there.
    let exempt = [
      "Uniform", "Product", "Funnel", "Dequantized", "Gamma", "Beta", "Dirichlet", "VonMisesFisher", "Gumbel",
      "Exponential", "LogNormal",
    ]
    for row in distributionTable where !exempt.contains(where: row.name.contains) {
      let (params, logPDF, _) = try row.distribution(
        Key(0), inputDim: row.inputDim, contextDim: row.contextDim)
      let context = row.contextDim.map { Tensor.zeros($0.batched(2)) }
      let shape = row.inputDim.batched(1)
      let x = concatenate([.full(shape, 100), .full(shape, -100)], axis: 0)
      let (value, gradient) = try valueAndGradient(at: params) { try logPDF($0, x, given: context).sum() }
      #expect(value.isFinite && gradient.leaves.allSatisfy { $0.isFinite }, "\(row.name): \(value)")
    }
  }

  @Test func theNormalDensityIsTheFormulaToTheBit() throws {
    let x = 3 * wave([7, 5], dtype: .float32)
    let constant = 0.5 * 5 * 1.8378770664093454836
    let (none, standard, _) = try Normal()(Key(0), inputDim: 5)
    #expect(try standard(none, x).isIdentical(to: -0.5 * square(x).sumPerRow() - constant))
    let (params, learned, _) = try Normal(.learned)(Key(0), inputDim: 5)
    let moved = params.perturbed(Key(1))
    let (location, logScale) = (moved["location"], moved["logScale"])
    let z = (x - location) * exp(-logScale)
    let expected = -0.5 * square(z).sumPerRow() - constant - logScale.sum()
    #expect(try learned(moved, x).isIdentical(to: expected))
  }

  /// Batch normalization keeps its running statistics wherever it stands.
  @Test func statisticsMoveInsideEveryCombinator() throws {
    let flow = Flow(BatchNorm())
    let summary = Summary(hidden: [4], width: 2)
    for distribution in [
      Mixture([Normal(), flow]), Product([flow, Normal(.learned)]), Conditioned(flow, by: summary),
      Mixture([Product([flow, flow])]),
    ] as [any Distribution] {
      let (params, logPDF, _) = try distribution(Key(0), inputDim: 2, contextDim: 3)
      let updated = try logPDF.updatingStatistics(
        params, 5 + wave([6, 2], dtype: .float32), given: .ones([6, 3]))
      #expect(!updated.isIdentical(to: params) && updated.outline == params.outline, "\(distribution)")
      #expect(updated.learned.isIdentical(to: params.learned), "\(distribution)")
      #expect(logPDF.traits.contains(.couplesRows), "\(distribution)")
    }
  }

  @Test func vonMisesHasPeriod2Pi() throws {
    let (params, logPDF, sample) = try VonMises(location: 3, concentration: 2)(
      Key(0), inputDim: 1, dtype: .float64)
    let x = wave([6, 1])
    #expect(try isClose(logPDF(params, x + 4 * .pi), logPDF(params, x), 1e-12))
    let draws = try sample(Key(1), params, count: 2000).doubles
    #expect(draws.allSatisfy { $0 >= -.pi && $0 < .pi })
    #expect(draws.contains { $0 < -2 } && draws.contains { $0 > 2 }, "the turn is cut within the mass")
  }

  @Test func drawsAreDifferentiable() throws {
    for distribution in [
      Normal(.learned), Laplace(.learned), MultivariateNormal(), ConditionalNormal(MLP(hidden: [])),
    ]
      as [any Distribution]
    {
      let (params, _, sample) = try distribution(Key(0), inputDim: 2, contextDim: 1, dtype: .float64)
      let context = Tensor.ones([20, 1], dtype: .float64)
      func total(_ params: Params) throws -> Tensor {
        square(try sample(Key(1), params, count: 20, given: context)).sum()
      }
      let gradient = try valueAndGradient(at: params) { try total($0) }.gradient
      let direction = params.learned.filled(with: 0).perturbed(Key(2), by: 1)
      func moved(_ by: Double) throws -> Params { try params.zipLearned(with: direction) { $0 + by * $1 } }
      let slope = (try total(moved(1e-6)) - total(moved(-1e-6))) / 2e-6
      let claimed = try gradient.zip(with: direction) { ($0 * $1).sum().item }.leaves.reduce(0, +)
      #expect(isClose(Tensor(claimed, dtype: .float64), slope, 1e-6), "\(distribution)")
    }
  }

  @Test func givenParametersAreFrozenAndLearnedOnesAreNot() throws {
    func learned(_ distribution: any Distribution) throws -> [String] {
      try distribution(Key(0), inputDim: 3).params.learned.paths
    }
    #expect(try learned(Laplace()).isEmpty)
    #expect(try learned(Laplace(location: 1, scale: 2)).isEmpty)
    #expect(try learned(Laplace(.learned)) == ["location", "logScale"])
    #expect(try learned(Laplace(location: 0, scale: .learned)) == ["logScale"])
    #expect(try learned(VonMises(location: .learned)) == ["location"])
    #expect(try learned(MultivariateNormal(mean: 0, covariance: .learned)) == ["logDiagonal", "entries"])
    #expect(try learned(GaussianMixture(components: 1)).count == 4)
    #expect(try Laplace().callAsFunction(Key(0), inputDim: 3).params.paths.isEmpty)
    #expect(
      try Laplace(location: [1, 2, 3], scale: 2)(Key(0), inputDim: 3).params["location"].doubles == [1, 2, 3])
  }

  @Test func whatDoesNotFitThrows() throws {
    let bad: [(any Distribution, Shape)] = [
      (Laplace(location: [1, 2], scale: 1), 3), (Laplace(location: 0, scale: 0), 1),
      (Laplace(location: 0, scale: [1, -1]), 2), (Laplace(location: .fixed(Tensor(.nan)), scale: 1), 1),
      (Normal(location: .fixed(Tensor([[0]])), scale: 1), 1),
      (VonMises(concentration: 0), 1), (Uniform(from: 1, to: 1), 1), (Uniform(from: 0, to: .infinity), 1),
      (Uniform(from: Tensor([0, 0]), to: Tensor([1, 1])), 3), (Product([Normal()]), 2),
      (Product([Normal()]), [1, 1]),
      (MultivariateNormal(mean: [0, 0], covariance: [[1, 2], [2, 1]]), 2),
      (MultivariateNormal(mean: [0, 0], covariance: [[1, 0.5], [0, 1]]), 2),
      (MultivariateNormal(mean: [0, 0], covariance: [[1, 0], [0]]), 2),
      (MultivariateNormal(mean: [0, 0], covariance: [[1, 0], [0, 1]]), 3),
      (MultivariateNormal(covariance: [0, 1]), 2),
      (Mixture([Normal(), Normal()], weights: [1, -1]), 1),
      (Mixture([Normal(), Normal()], weights: [0, 0]), 1),
      (Mixture([Normal(), Normal()], weights: [1, 1, 1]), 1),
      (Mixture([Normal(), Normal()], weights: .learned(from: Tensor([1, 0]))), 1),
      (ConditionalNormal(MLP(hidden: [])), 1),
    ]
    for (distribution, inputDim) in bad {
      #expect(throws: FlowError.self, "\(distribution)") { _ = try distribution(Key(0), inputDim: inputDim) }
    }
  }

  @Test func aConditionalNormalIsANormalAtTheNetworksValues() throws {
    let (params, logPDF, sample) = try ConditionalNormal(MLP(hidden: []), scale: .exponential)(
      Key(0), inputDim: 1, contextDim: 1, dtype: .float64)
    // net(c) = (r, t) = (0.5 c + 0.25, 2 c - 1).
    let weights = try params.replacing("net/dense_0/weight", by: .leaf(Tensor([[0.5, 2]], dtype: .float64)))
      .replacing("net/dense_0/bias", by: .leaf(Tensor([0.25, -1], dtype: .float64)))
    let (fixed, normal, normalSample) = try Normal(
      location: 5, scale: .fixed(exp(Tensor(1.75, dtype: .float64))))(
        Key(0), inputDim: 1, dtype: .float64)
    let x = wave([4, 1])
    let context = Tensor.full([4, 1], 3, dtype: .float64)
    #expect(try isClose(logPDF(weights, x, given: context), normal(fixed, x), 1e-12))
    #expect(
      try isClose(
        sample(Key(1), weights, count: 4, given: context[0..<1]), normalSample(Key(1), fixed, count: 4), 1e-12
      ))
  }
}
