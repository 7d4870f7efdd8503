import Bijections
import Distributions
import Networks
import Tensors

/// The ready-made image flows, small.
let imageFlowRows: [DistributionRow] = [
  DistributionRow(
    name: "glow", distribution: Flow.glow(levels: 2, steps: 1, hidden: 3), inputDim: [4, 4, 1]),
  DistributionRow(
    name: "glow, normalized network, learned top",
    distribution: Flow.glow(levels: 2, steps: 1, hidden: 3, normalizesNetwork: true, learnsTop: true),
    inputDim: [4, 4, 1]),
  DistributionRow(
    name: "glow, additive", distribution: Flow.glow(levels: 2, steps: 1, hidden: 3, additive: true),
    inputDim: [4, 4, 1]),
  DistributionRow(
    name: "glow, image context, reversible",
    distribution: Flow.glow(levels: 2, steps: 1, hidden: 3).reversible(), inputDim: [4, 4, 1],
    contextDim: [4, 4, 1]),
  DistributionRow(
    name: "glow, nothing factored out, dense, context",
    distribution: Flow.glow(
      levels: 1, steps: 1, squeeze: .haar, factorsOut: false,
      network: Flattened(MLP(hidden: [4]))), inputDim: [2, 2, 1]),
  DistributionRow(
    name: "glow, class-conditional prior",
    distribution: Flow(
      Conditioned(Flow.glow(levels: 2, steps: 1, hidden: 2).bijection, by: NoContext()),
      prior: ConditionalNormal(MLP(hidden: []))),
    inputDim: [4, 4, 1], contextDim: 3),
  DistributionRow(
    name: "tarFlow, context",
    distribution: Flow.tarFlow(blocks: 2, layers: 1, width: 4, heads: 2), inputDim: [4, 4, 1], contextDim: 3),
  DistributionRow(
    name: "jet, context", distribution: Flow.jet(patch: 2, couplings: 5, layers: 1, width: 4, heads: 2),
    inputDim: [4, 4, 1], contextDim: 2),
  DistributionRow(
    name: "flowPlusPlusImages, image context",
    distribution: Flow.flowPlusPlusImages(hidden: 6, blocks: 1, heads: 2, components: 2),
    inputDim: [2, 2, 1],
    contextDim: [2, 2, 1]),
  DistributionRow(
    name: "Dequantized.flowPlusPlus",
    distribution: Dequantized.flowPlusPlus(levels: 40, hidden: 6, blocks: 1, heads: 2, components: 2),
    inputDim: [4, 2, 1], isDiscrete: true, isBound: true),
  DistributionRow(
    name: "multiScaleHINT", distribution: Flow.multiScaleHINT(levels: 2, steps: 1, hidden: 2),
    inputDim: [4, 4, 1]),
  DistributionRow(
    name: "hint, context", distribution: Flow.hint(layers: 2, hidden: [4]), inputDim: 5, contextDim: 2),
  DistributionRow(
    name: "jointHINT", distribution: Flow.jointHINT(observed: 2, layers: 2, hidden: [4]), inputDim: 5),
  DistributionRow(
    name: "multiScaleJointHINT",
    distribution: Flow.multiScaleJointHINT(channels: 1, levels: 1, steps: 1, hidden: 2),
    inputDim: [2, 2, 2]),
  DistributionRow(
    name: "hyperbolic, image context", distribution: Flow.hyperbolic(levels: 2, steps: 2, hidden: 3),
    inputDim: [4, 4, 1], contextDim: [4, 4, 1]),
  DistributionRow(
    name: "realNVP, image", distribution: Flow.realNVP(levels: 2, hidden: 2, blocks: 0),
    inputDim: [4, 4, 1]),
  DistributionRow(
    name: "realNVPHalves", distribution: Flow.realNVPHalves(image: [4, 4, 1], layers: 2, hidden: 2),
    inputDim: [4, 4, 1]),
]
