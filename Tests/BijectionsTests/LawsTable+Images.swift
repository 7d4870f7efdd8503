import Bijections
import Distributions
import Networks
import Tensors
import Verification

private let conv = ConvNet(hidden: [3], windows: [3, 3], activation: .tanh, lastWeight: .glorotUniform)

/// Values far out, as an image of 2 by 2 positions with two channels.
private let farImages = Tensor(
  [100, -100, 30, -30, 0, 1e-30, -1e-30, 88] + [Double](repeating: 0, count: 8), shape: [2, 2, 2, 2],
  dtype: .float64)

let imageRows =
  shapeRows + multiScaleRows + imageCouplingRows + reversibleRows + imageLayerRows
  + hintRows + jointRows + contextRows + loopRows + convolutionLayerRows

private let shapeRows: [LawsRow] = [
  LawsRow(name: "Squeeze", bijection: Squeeze(), inputDim: [2, 4, 1]),
  LawsRow(name: "Squeeze, three channels", bijection: Squeeze(), inputDim: [4, 2, 3]),
  LawsRow(name: "Squeeze, patch", bijection: Squeeze(.patch), inputDim: [4, 4, 1]),
  LawsRow(name: "Squeeze, column", bijection: Squeeze(.column), inputDim: [4, 2, 3]),
  LawsRow(name: "Squeeze, one axis", bijection: Squeeze(), inputDim: [6, 2]),
  LawsRow(name: "Squeeze, three axes", bijection: Squeeze(.patch), inputDim: [2, 4, 2, 1]),
  LawsRow(name: "Squeeze, Haar", bijection: Squeeze(.haar), inputDim: [4, 2, 1]),
  LawsRow(name: "Squeeze, Haar, three axes", bijection: Squeeze(.haar), inputDim: [2, 2, 4, 1]),
  LawsRow(name: "Squeeze, db2", bijection: Squeeze(.wavelet(.db2)), inputDim: [4, 6, 1]),
  LawsRow(
    name: "Squeeze, db3, shorter than the filter", bijection: Squeeze(.wavelet(.db3)), inputDim: [4, 2]),
  LawsRow(name: "Squeeze, db4", bijection: Squeeze(.wavelet(.db4)), inputDim: [10, 2]),
  LawsRow(name: "Squeeze, coif1", bijection: Squeeze(.wavelet(.coif1)), inputDim: [2, 6, 1]),
  LawsRow(name: "Unsqueeze", bijection: Unsqueeze(), inputDim: [1, 2, 8]),
  LawsRow(name: "Unsqueeze, patch", bijection: Unsqueeze(.patch), inputDim: [2, 1, 4]),
  LawsRow(name: "Unsqueeze, column", bijection: Unsqueeze(.column), inputDim: [2, 1, 4]),
  LawsRow(name: "Unsqueeze, Haar", bijection: Unsqueeze(.haar), inputDim: [2, 2, 4]),
  LawsRow(name: "Unsqueeze, db2, one axis", bijection: Unsqueeze(.wavelet(.db2)), inputDim: [3, 4]),
  LawsRow(name: "Unsqueeze, three axes", bijection: Unsqueeze(.haar), inputDim: [1, 2, 1, 8]),
  LawsRow(name: "Squeeze, far", bijection: Squeeze(.haar), inputDim: [2, 2, 2], inputs: farImages),
]

private let multiScaleRows: [LawsRow] = [
  LawsRow(
    name: "AffineCoupling, normalized convolutions, context",
    bijection: AffineCoupling(
      NormalizedConvNet(hidden: [3, 3], activation: .tanh, lastWeight: .glorotUniform)),
    inputDim: [2, 4, 3], contextDim: 2),
  LawsRow(name: "MultiScale, one level", bijection: MultiScale([ActNorm()]), inputDim: [2, 2, 1]),
  LawsRow(
    name: "MultiScale",
    bijection: MultiScale([Serial(Squeeze(), ActNorm()), Serial(Squeeze(.haar), ActNorm())]),
    inputDim: [4, 4, 1]),
  LawsRow(
    name: "MultiScale, learned prior",
    bijection: MultiScale([Serial(Squeeze(), ActNorm()), InvertibleLinear()], prior: conv),
    inputDim: [4, 2, 1]),
  LawsRow(
    name: "MultiScale, odd channels, context",
    bijection: MultiScale([InvertibleLinear(), ActNorm(), ActNorm()], prior: conv), inputDim: [1, 2, 5],
    contextDim: [1, 2, 1]),
  LawsRow(
    name: "MultiScale, vectors",
    bijection: MultiScale([ActNorm(), InvertibleLinear()], prior: MLP(hidden: [3])),
    inputDim: 5, contextDim: 2),
  LawsRow(
    name: "MultiScale, volume preserving", bijection: MultiScale([Reverse(), AdditiveCoupling(conv)]),
    inputDim: [2, 1, 4]),
]

/// The couplings with convolutions, all splits.
private let imageCouplingRows: [LawsRow] = [
  LawsRow(name: "AffineCoupling, convolutions", bijection: AffineCoupling(conv), inputDim: [3, 2, 3]),
  LawsRow(
    name: "AffineCoupling, convolutions, checkerboard", bijection: AffineCoupling(conv, split: .checkerboard),
    inputDim: [3, 3, 1]),
  LawsRow(
    name: "AffineCoupling, convolutions, checkerboard swapped",
    bijection: AffineCoupling(conv, split: .checkerboard.swapped), inputDim: [2, 3, 2]),
  LawsRow(
    name: "AffineCoupling, convolutions, one axis", bijection: AffineCoupling(conv, split: .checkerboard),
    inputDim: [5, 1]),
  LawsRow(
    name: "AffineCoupling, convolutions, three axes", bijection: AffineCoupling(conv),
    inputDim: [2, 2, 1, 2]),
  LawsRow(
    name: "AffineCoupling, convolutions, contexts", bijection: AffineCoupling(conv), inputDim: [2, 2, 2],
    contextDim: [2, 2, 1]),
  LawsRow(
    name: "AffineCoupling, convolutions, vector context",
    bijection: AffineCoupling(conv, split: .checkerboard),
    inputDim: [2, 2, 2], contextDim: 2),
  LawsRow(
    name: "AffineCoupling, residual block",
    bijection: AffineCoupling(
      ResidualBlock(hidden: 3, end: .galu, activation: .tanh, lastWeight: .glorotUniform)),
    inputDim: [3, 3, 2]),
  LawsRow(
    name: "AffineCoupling, ResNet",
    bijection: AffineCoupling(
      ResNet(hidden: 3, blocks: 1, activation: .tanh, lastWeight: .glorotUniform), split: .checkerboard),
    inputDim: [3, 3, 1]),
  LawsRow(
    name: "Coupling, spline, convolutions",
    bijection: Coupling(conv, RationalQuadraticSpline(bins: 3), split: .checkerboard), inputDim: [2, 2, 2]),
]

private let reversibleRows: [LawsRow] = [
  LawsRow(
    name: "Reversible",
    bijection: Reversible(Serial(ActNorm(), AffineCoupling(MLP(hidden: [5], activation: .tanh)))),
    inputDim: 5),
  LawsRow(
    name: "Reversible, image, context, checkpoints",
    bijection: Reversible(
      Serial(ActNorm(), AffineCoupling(conv), Reverse(), AffineCoupling(conv)), checkpointEvery: 1),
    inputDim: [2, 3, 2], contextDim: 1),
  LawsRow(
    name: "Reversible, inverted, one number", bijection: Inverted(Reversible(ActNorm())), inputDim: 1),
]

private let net = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)

private let imageLayerRows: [LawsRow] = [
  LawsRow(
    name: "AffineCoupling, scale between bounds",
    bijection: AffineCoupling(conv, scale: .within(low: 0.5, high: 3)), inputDim: [3, 2, 3]),
  LawsRow(
    name: "AffineCoupling, twice the sigmoid",
    bijection: AffineCoupling(net, scale: .within(low: 0, high: 2)),
    inputDim: 5),
  LawsRow(
    name: "AffineCoupling, arctangent", bijection: AffineCoupling(conv, scale: .arctangent(1.272)),
    inputDim: [2, 3, 2]),
  LawsRow(
    name: "AffineCoupling, scales saturated",
    bijection: Serial(
      AffineCoupling(MLP(hidden: [], lastWeight: .constant(1)), scale: .within(low: 0.5, high: 3)),
      AffineCoupling(MLP(hidden: [], lastWeight: .constant(1)), scale: .arctangent(1.272))),
    inputDim: [2, 2, 2],
    inputs: farImages),
  LawsRow(name: "BothHalves", bijection: BothHalves(ActNorm()), inputDim: [2, 1, 4]),
  LawsRow(name: "BothHalves, squeeze", bijection: BothHalves(Squeeze(.haar)), inputDim: [2, 2, 2]),
  LawsRow(
    name: "BothHalves, context", bijection: BothHalves(AffineCoupling(net)), inputDim: 6, contextDim: 2),
  LawsRow(name: "Hyperbolic", bijection: Hyperbolic(hidden: 3), inputDim: [3, 4, 2]),
  LawsRow(name: "Hyperbolic, vector", bijection: Hyperbolic(hidden: 4, step: 0.5), inputDim: 6),
  LawsRow(name: "Hyperbolic, vector, context", bijection: Hyperbolic(hidden: 4), inputDim: 2, contextDim: 3),
  LawsRow(
    name: "Hyperbolic, vector context", bijection: Hyperbolic(hidden: 3), inputDim: [2, 3, 4], contextDim: 2),
  LawsRow(
    name: "Hyperbolic, image context", bijection: Hyperbolic(hidden: 3, window: [3, 1]), inputDim: [2, 3, 2],
    contextDim: [2, 3, 1]),
  LawsRow(name: "Hyperbolic, one axis", bijection: Hyperbolic(hidden: 2), inputDim: [5, 2]),
  LawsRow(
    name: "Hyperbolic, far", bijection: Hyperbolic(hidden: 3), inputDim: [2, 2, 2], inputs: farImages,
    tolerance: .init(gradient: 1e-4)),  // zeros lie on the kinks of relu
  LawsRow(name: "IRIM", bijection: IRIM(conv), inputDim: [3, 2, 4]),
  LawsRow(name: "IRIM, odd, context", bijection: IRIM(net), inputDim: 5, contextDim: 2),
  LawsRow(
    name: "MisfitGradient", bijection: MisfitGradient(Tensor([[1, 2], [0, -1], [0.5, 3]])), inputDim: 4,
    contextDim: 3),
  LawsRow(
    name: "MisfitGradient, a larger memory, in a loop",
    bijection: Serial(
      MisfitGradient(Tensor([[1, 2]])), IRIM(net), MisfitGradient(Tensor([[1, 2]])), IRIM(net)), inputDim: 7,
    contextDim: 1),
]

/// Every depth of the recursion: leaves of two, three and four channels, one to three levels above them.
private let hintRows: [LawsRow] =
  [2, 3, 4, 6, 8, 12, 16].map {
    LawsRow(name: "HINT, \($0) channels", bijection: HINT(net), inputDim: Shape([$0]))
  }
  + [
    LawsRow(name: "HINT, full", bijection: HINT(net, permutation: .full), inputDim: 8),
    LawsRow(name: "HINT, both", bijection: HINT(net, permutation: .both), inputDim: 6),
    LawsRow(name: "HINT, lower", bijection: HINT(net, permutation: .lower), inputDim: 8, contextDim: 2),
    LawsRow(name: "HINT, uneven halves", bijection: HINT(net, isShared: false), inputDim: 7),
    LawsRow(
      name: "HINT, uneven halves, permuted, context",
      bijection: HINT(net, permutation: .full, isShared: false),
      inputDim: 5, contextDim: 3),
    LawsRow(name: "HINT, image", bijection: HINT(conv, permutation: .full), inputDim: [2, 2, 6]),
    LawsRow(
      name: "HINT, additive", bijection: HINT(conv, Shift(), permutation: .both), inputDim: [2, 1, 4]),
    LawsRow(name: "HINT, spline", bijection: HINT(net, RationalQuadraticSpline(bins: 3)), inputDim: 6),
    LawsRow(name: "JointHINT", bijection: JointHINT(net, observed: 3), inputDim: 5),
    LawsRow(
      name: "JointHINT, context", bijection: JointHINT(net, observed: 6, permutation: .both), inputDim: 10,
      contextDim: 2),
    LawsRow(
      name: "JointHINT, image", bijection: JointHINT(conv, observed: 2, permutation: .none),
      inputDim: [2, 2, 6]),
  ]

/// Pairs of images that factor out: y's lane and x's lane go their ways, and their latents lie apart at the
/// end.
private let jointRows: [LawsRow] = [
  LawsRow(
    name: "Flow.multiScaleJointHINT",
    bijection: Flow.multiScaleJointHINT(channels: 1, levels: 1, steps: 1, hidden: 3).bijection,
    inputDim: [2, 2, 2]),
  LawsRow(
    name: "Flow.multiScaleJointHINT, factored out",
    bijection: Flow.multiScaleJointHINT(channels: 1, levels: 2, steps: 1, hidden: 8, factorsOut: true)
      .bijection, inputDim: [4, 4, 2]),
  LawsRow(
    name: "Flow.multiScaleJointHINT, factored out, one level, reversible",
    bijection: Flow.multiScaleJointHINT(
      channels: 1, levels: 1, steps: 1, hidden: 3, factorsOut: true
    ).reversible().bijection, inputDim: [2, 4, 2]),
  LawsRow(name: "Permute", bijection: Permute([2, 0, 1]), inputDim: [2, 3]),
  LawsRow(name: "Permute, one number", bijection: Permute([0]), inputDim: 1),
]

private let loopRows: [LawsRow] = [
  LawsRow(
    name: "IRIMLoop", bijection: IRIMLoop(Tensor([[1, 2], [0, -1], [0.5, 3]]), iterations: 2, hidden: []),
    inputDim: 4, contextDim: 3),
  LawsRow(
    name: "IRIMLoop, one unknown, a larger memory, reversible",
    bijection: Reversible(IRIMLoop(Tensor([[2]]), iterations: 3, memory: 3, hidden: [])), inputDim: 4,
    contextDim: 1),
]

private let contextRows: [LawsRow] = [
  LawsRow(
    name: "Conditioned, normalized", bijection: Conditioned(AffineCoupling(net), by: NormalizedContext()),
    inputDim: 5, contextDim: 2),
  LawsRow(
    name: "Conditioned, normalized and squeezed image",
    bijection: Conditioned(
      Serial(Squeeze(), Conditioned(AffineCoupling(conv), by: SqueezedContext())), by: NormalizedContext()),
    inputDim: [2, 4, 1], contextDim: [2, 4, 1]),
  LawsRow(
    name: "Conditioned, normalized, one number",
    bijection: Conditioned(AffineCoupling(net), by: NormalizedContext()), inputDim: 1, contextDim: 1),
  LawsRow(
    name: "Conditioned, squeezed",
    bijection: Serial(Squeeze(), Conditioned(AffineCoupling(conv), by: SqueezedContext())),
    inputDim: [4, 2, 1], contextDim: [4, 2, 1]),
  LawsRow(
    name: "Conditioned, squeezed twice",
    bijection: Conditioned(AffineCoupling(conv), by: SqueezedContext(times: 2, pattern: .haar)),
    inputDim: [1, 1, 2], contextDim: [4, 4, 1]),
  LawsRow(
    name: "Conditioned, squeezed vector",
    bijection: Conditioned(AffineCoupling(conv), by: SqueezedContext()), inputDim: [2, 1, 2], contextDim: 3),
  LawsRow(
    name: "Conditioned, no context", bijection: Conditioned(AffineCoupling(net), by: NoContext()),
    inputDim: 3,
    contextDim: 2),
  LawsRow(name: "AnyBijection", bijection: AnyBijection(AffineCoupling(net)), inputDim: 3),
  LawsRow(name: "Reshape", bijection: Reshape(to: [2, 3]), inputDim: 6),
  LawsRow(name: "Reshape, flat", bijection: Reshape.flat, inputDim: [2, 1, 2]),
  LawsRow(name: "Reshape, one number", bijection: Reshape(to: [1, 1]), inputDim: 1),
  LawsRow(name: "OnChannels", bijection: OnChannels(1..<3, AffineCoupling(net)), inputDim: 5),
  LawsRow(
    name: "OnChannels, image, all channels", bijection: OnChannels(0..<2, InvertibleLinear()),
    inputDim: [2, 1, 2]),
  LawsRow(
    name: "OnChannels, last one, context", bijection: OnChannels(2..<3, AffineCoupling(net)), inputDim: 3,
    contextDim: 2),
  LawsRow(name: "PixelLogit", bijection: PixelLogit(), inputDim: [2, 2, 1]),
  LawsRow(
    name: "PixelLogit, black and white", bijection: PixelLogit(margin: 1e-3), inputDim: 3,
    inputs: Tensor([[0, 1, 0.5], [1e-6, 1 - 1e-6, 0.25]], dtype: .float64), tolerance: .init(float32: 1e-3)),
]

private let convolutionLayerRows: [LawsRow] = [
  LawsRow(name: "EmergingConvolution", bijection: EmergingConvolution(), inputDim: [3, 4, 2]),
  LawsRow(
    name: "EmergingConvolution, one channel", bijection: EmergingConvolution(size: 5), inputDim: [2, 3, 1]),
  LawsRow(
    name: "EmergingConvolution, one tap", bijection: EmergingConvolution(size: 1), inputDim: [2, 1, 3]),
  LawsRow(name: "PeriodicConvolution", bijection: PeriodicConvolution(), inputDim: [3, 4, 2]),
  LawsRow(name: "PeriodicConvolution, one channel", bijection: PeriodicConvolution(), inputDim: [4, 3, 1]),
  LawsRow(
    name: "PeriodicConvolution, window larger than the image", bijection: PeriodicConvolution(size: 3),
    inputDim: [1, 2, 2]),
]
