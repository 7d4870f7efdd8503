import Bijections
import Distributions
import Networks
import TestSupport
import Tensors

private let net = MLP(hidden: [7, 6], activation: .tanh, lastWeight: .glorotUniform)
private let made = MADE(hidden: [7, 6], activation: .tanh, lastWeight: .glorotUniform)
private let summary = Summary(hidden: [6], width: 3, activation: .tanh)
private let drawn = Parameter.learned(drawn: .normal(standardDeviation: 1))
/// A location and a scale for each of three numbers.
private let location: Parameter = [0, 1.5, -4]
private let scale: Parameter = [1, 2, 0.01]
private let covariance = [[2, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 0.5]]

/// Every public distribution. Names that scipy's fixture has are compared with it.
let distributionTable: [DistributionRow] =
  [
    family("Normal", { Normal($0) }), family("Laplace", { Laplace($0) }),
    family("Logistic", { Logistic($0) }), family("Gumbel", { Gumbel($0) }),
    family("Cauchy", { Cauchy($0) }), family("StudentT 3", { StudentT(degreesOfFreedom: 3, $0) }),
    family("StudentT 0.5", { StudentT(degreesOfFreedom: 0.5, $0) }),
    family("StudentT 1000000", { StudentT(degreesOfFreedom: 1e6, $0) }),
  ].flatMap { $0 } + otherRows + flowRows + imageFlowRows + targetRows

/// A location-scale family in all its forms.
private func family(
  _ name: String, _ make: (LocationScale) -> any Distribution
) -> [DistributionRow] {
  [
    DistributionRow(name: "\(name), standard", distribution: make(.standard)),
    DistributionRow(
      name: "\(name), fixed", distribution: make(LocationScale(location: location, scale: scale))),
    DistributionRow(name: "\(name), learned", distribution: make(.learned)),
    DistributionRow(
      name: "\(name), image, context",
      distribution: make(LocationScale(location: drawn, scale: .learned(from: 2))),
      inputDim: [2, 1, 2], contextDim: 2),
  ]
}

private let otherRows: [DistributionRow] = [
  DistributionRow(name: "Uniform, standard", distribution: Uniform(), inputDim: 2),
  DistributionRow(
    name: "Uniform, fixed", distribution: Uniform(from: Tensor([-2, 0]), to: Tensor(3)), inputDim: 2),
  DistributionRow(
    name: "Uniform, far and narrow", distribution: Uniform(from: 1000, to: 1000.25), inputDim: [2, 2]),
  DistributionRow(
    name: "VonMises", distribution: VonMises(location: [0, 0.5, -1], concentration: [0.01, 2, 39])),
  DistributionRow(
    name: "VonMises, concentrated", distribution: VonMises(location: [0, 0.25], concentration: [41, 10000]),
    inputDim: 2),
  DistributionRow(
    name: "VonMises, learned",
    distribution: VonMises(location: .learned, concentration: .learned(from: Tensor([0.2, 3, 60])))),
  DistributionRow(name: "Exponential", distribution: Exponential(rate: [0.5, 1, 30])),
  DistributionRow(name: "Exponential, learned", distribution: Exponential(rate: .learned), inputDim: [2, 2]),
  DistributionRow(
    name: "LogNormal", distribution: LogNormal(location: [0, 1.5, -4], scale: [1, 2, 0.01])),
  DistributionRow(
    name: "LogNormal, learned", distribution: LogNormal(location: .learned, scale: .learned(from: 0.5)),
    inputDim: 2, contextDim: 1),
  DistributionRow(name: "Gamma", distribution: Gamma(concentration: [0.3, 1, 7.5], rate: [0.5, 1, 3])),
  DistributionRow(
    name: "Gamma, learned", distribution: Gamma(concentration: .learned(from: 2), rate: .learned),
    inputDim: [2, 2], contextDim: 1),
  DistributionRow(name: "Beta", distribution: Beta([0.5, 2, 1], [3, 4.5, 1])),
  DistributionRow(
    name: "Beta, learned", distribution: Beta(.learned(from: 2), .learned(from: 3)), inputDim: 1),
  DistributionRow(name: "Dirichlet", distribution: Dirichlet(concentration: [0.6, 2, 5])),
  DistributionRow(
    name: "Dirichlet, learned", distribution: Dirichlet(concentration: .learned(from: 2)), inputDim: [2, 3]),
  DistributionRow(name: "UniformSphere", distribution: UniformSphere()),
  DistributionRow(
    name: "VonMisesFisher", distribution: VonMisesFisher(direction: [1, -2, 2], concentration: 4)),
  DistributionRow(
    name: "VonMisesFisher, learned",
    distribution: VonMisesFisher(
      direction: .learned(from: Tensor([0.1, 0.2, -3])), concentration: .learned(from: 40))),
  DistributionRow(
    name: "Mixture of VonMises",
    distribution: Mixture(count: 3, of: VonMises(location: drawn, concentration: .learned(from: 2))),
    inputDim: 2),
  DistributionRow(
    name: "MultivariateNormal", distribution: MultivariateNormal(mean: [1, -2, 0.5], covariance: covariance)),
  DistributionRow(
    name: "MultivariateNormal, one number", distribution: MultivariateNormal(mean: [1.5], covariance: [[4]]),
    inputDim: 1),
  DistributionRow(name: "MultivariateNormal, learned", distribution: MultivariateNormal(), inputDim: 4),
  DistributionRow(
    name: "MultivariateNormal, learned, one number", distribution: MultivariateNormal(), inputDim: 1),
  DistributionRow(
    name: "MultivariateNormal, image, context", distribution: MultivariateNormal(mean: drawn),
    inputDim: [2, 2],
    contextDim: 1),
  DistributionRow(name: "GaussianMixture", distribution: clusters, inputDim: 2),
  DistributionRow(
    name: "GaussianMixture, learned", distribution: GaussianMixture(components: 3), inputDim: 2),
  DistributionRow(
    name: "Mixture, learned",
    distribution: Mixture(
      count: 4, of: Laplace(location: drawn, scale: .learned),
      weights: .learned(from: Tensor([4, 3, 2, 1])))),
  DistributionRow(
    name: "Mixture, one component, weight fixed", distribution: Mixture([Normal(.learned)], weights: 1),
    inputDim: 1),
  DistributionRow(
    name: "Mixture, families, context",
    distribution: Mixture([ConditionalNormal(net), Cauchy(.learned), Uniform(from: -9, to: 9)]), inputDim: 2,
    contextDim: 2),
  DistributionRow(name: "AutoregressiveMixture", distribution: AutoregressiveMixture(made, components: 3)),
  DistributionRow(
    name: "AutoregressiveMixture, image, random order, context",
    distribution: AutoregressiveMixture(
      MADE(hidden: [6], activation: .tanh, order: .random, lastWeight: .glorotUniform), components: 2),
    inputDim: [2, 2], contextDim: 2),
  DistributionRow(
    name: "AutoregressiveMixture, one number, one component",
    distribution: AutoregressiveMixture(MADE(hidden: []), components: 1, scale: .exponential), inputDim: 1),
  DistributionRow(
    name: "KernelDensity", distribution: KernelDensity(of: wave([7, 3], phase: 1), bandwidth: 0.4)),
  DistributionRow(
    name: "KernelDensity, one row, image, context",
    distribution: KernelDensity(of: wave([1, 2, 2], phase: 1), bandwidth: 2), inputDim: [2, 2],
    contextDim: 1),
  DistributionRow(
    name: "Product",
    distribution: Product([
      Normal(location: 1, scale: 2), Laplace(location: -1, scale: 0.5), Uniform(from: -2, to: 3),
    ])),
  DistributionRow(
    name: "Product, learned, context",
    distribution: Product([
      ConditionalNormal(net), VonMises(location: .learned, concentration: .learned),
      GaussianMixture(components: 2),
    ]), contextDim: 2),
  DistributionRow(
    name: "Dequantized", distribution: Dequantized(Flow(Serial(PixelLogit(), ActNorm())), levels: 40),
    isDiscrete: true),
  DistributionRow(
    name: "Dequantized, learned noise, three draws, context",
    distribution: Dequantized(
      Flow(Serial(Logit(), AffineCoupling(net))), levels: 40, noise: Serial(Logit(), AffineCoupling(net)),
      samples: 3),
    inputDim: 2, contextDim: 2, isDiscrete: true, isBound: true),
  DistributionRow(name: "ConditionalNormal", distribution: ConditionalNormal(net), contextDim: 2),
  DistributionRow(
    name: "ConditionalNormal, exponential, images", distribution: ConditionalNormal(net, scale: .exponential),
    inputDim: [2, 2], contextDim: [1, 3]),
]

private let flowRows: [DistributionRow] = [
  DistributionRow(
    name: "mafMixture, batch normalization",
    distribution: Flow.mafMixture(
      layers: 2, hidden: [7], components: 2, activation: .tanh, batchNorm: BatchNorm(mode: .evaluation)),
    contextDim: 1),
  DistributionRow(name: "gatedIAF", distribution: Flow.gatedIAF(layers: 2, hidden: [7])),
  DistributionRow(
    name: "amortizedIAF", distribution: Flow.amortizedIAF(encoder: summary, layers: 2, hidden: [7]),
    contextDim: 4),
  DistributionRow(name: "Flow", distribution: Flow(Serial(AffineCoupling(net), Reverse(), ActNorm()))),
  DistributionRow(
    name: "Flow, learned prior",
    distribution: Flow(AffineCoupling(net), prior: GaussianMixture(components: 2))),
  DistributionRow(
    name: "Flow, conditional", distribution: Flow(AffineCoupling(net), prior: ConditionalNormal(net)),
    contextDim: 2),
  DistributionRow(
    name: "Conditioned Flow",
    distribution: Conditioned(Flow(AffineCoupling(net), prior: ConditionalNormal(net)), by: summary),
    contextDim: 4),
  DistributionRow(
    name: "Conditioned ConditionalNormal, one number",
    distribution: Conditioned(ConditionalNormal(net), by: summary), inputDim: 1, contextDim: 1),
  DistributionRow(
    name: "MeanField, context",
    distribution: MeanField(Flow(AffineCoupling(net), prior: ConditionalNormal(net))), contextDim: 2,
    idle: "logScale"),
]

/// Three clusters of weights .8, .15 and .05.
let clusters = GaussianMixture(
  means: [[-3, 0], [2, 2], [0, -4]],
  covariances: [[[1, 0.3], [0.3, 0.5]], [[0.25, 0], [0, 0.25]], [[2, -0.9], [-0.9, 1]]],
  weights: [0.8, 0.15, 0.05])
