import Bijections
import Networks
import Tensors
import Verification

private let net = MADE(hidden: [8, 6], activation: .tanh, lastWeight: .glorotUniform)
private let shuffled = MADE(
  hidden: [7, 7], activation: .tanh, order: .random, hiddenDegrees: .random, lastWeight: .glorotUniform)
private let residual = MADE(width: 6, residualBlocks: 2, activation: .tanh, lastWeight: .glorotUniform)
private let shuffledResidual = MADE(
  width: 6, residualBlocks: 1, activation: .elu, order: .random, hiddenDegrees: .random,
  lastWeight: .glorotUniform)

/// Values far out, where scales saturate.
private let far = Tensor(
  [[100, -100, 30, -30, 0], [1e-30, -1e-30, 88, -88, 1], [0, 0, 0, 0, 0]], dtype: .float64)

/// Values on the knots and bounds of the identity spline of four bins on ±2, in the middle of one, and
/// beyond.
private let knots = Tensor([[0, 1, -1, 2, -2], [3, -3, 1.5, 100, -100], [1, 1, 0, 0, 2]], dtype: .float64)

private let couplingNet = MLP(hidden: [5], activation: .tanh, lastWeight: .glorotUniform)

let autoregressiveRows =
  maskedRows + splines + inverseAutoregressiveRows + numericallyInvertedRows + tokenRows

private let maskedRows: [LawsRow] = [
  LawsRow(name: "Autoregressive, odd", bijection: Autoregressive(net), inputDim: 5),
  LawsRow(name: "Autoregressive, one number", bijection: Autoregressive(net), inputDim: 1),
  LawsRow(name: "Autoregressive, two numbers", bijection: Autoregressive(net), inputDim: 2),
  LawsRow(name: "Autoregressive, context", bijection: Autoregressive(net), inputDim: 3, contextDim: 2),
  LawsRow(
    name: "Autoregressive, one number, context", bijection: Autoregressive(net), inputDim: 1, contextDim: 3),
  LawsRow(
    name: "Autoregressive, image", bijection: Autoregressive(net), inputDim: [2, 2, 1], contextDim: [2, 1]),
  LawsRow(
    name: "Autoregressive, starts as identity", bijection: Autoregressive(MADE(hidden: [6])), inputDim: 3),
  LawsRow(name: "Autoregressive, nothing hidden", bijection: Autoregressive(MADE(hidden: [])), inputDim: 3),
  LawsRow(
    name: "Autoregressive, fewer units than numbers",
    bijection: Autoregressive(MADE(hidden: [2], activation: .tanh, lastWeight: .glorotUniform)), inputDim: 5),
  LawsRow(name: "Autoregressive, random degrees", bijection: Autoregressive(shuffled), inputDim: 5),
  LawsRow(
    name: "Autoregressive, random degrees, context", bijection: Autoregressive(shuffled), inputDim: 4,
    contextDim: 2),
  LawsRow(
    name: "Autoregressive, random degrees, one number", bijection: Autoregressive(shuffled), inputDim: 1),
  LawsRow(name: "Autoregressive, residual", bijection: Autoregressive(residual), inputDim: 3, contextDim: 1),
  LawsRow(name: "Autoregressive, random residual", bijection: Autoregressive(shuffledResidual), inputDim: 4),
  LawsRow(
    name: "Autoregressive, parents",
    bijection: Autoregressive(net.withParents([[2], [0, 2], [], [0, 1, 2]])),
    inputDim: 4),
  LawsRow(
    name: "Autoregressive, parents, residual, spline, context",
    bijection: Autoregressive(residual.withParents([[], [2], [0]]), RationalQuadraticSpline(bins: 3)),
    inputDim: 3, contextDim: 2),
  LawsRow(
    name: "Autoregressive, no parents, context",
    bijection: Autoregressive(shuffled.withParents([[], []])), inputDim: 2, contextDim: 1),
  LawsRow(
    name: "IAF, parents", bijection: Inverted(Autoregressive(net.withParents([[1], [], [1]]))), inputDim: 3),
  LawsRow(name: "Autoregressive, far", bijection: Autoregressive(net), inputDim: 5, inputs: far),
  LawsRow(
    name: "Autoregressive, exponential", bijection: Autoregressive(net, Affine(scale: .exponential)),
    inputDim: 5),
  LawsRow(
    name: "Autoregressive, sigmoid", bijection: Autoregressive(net, Affine(scale: .sigmoid(shift: 2))),
    inputDim: 3),
  LawsRow(
    name: "Autoregressive, the papers' form",
    bijection: Autoregressive(net, InverseTransformer(Affine(scale: .exponential))), inputDim: 5),
  LawsRow(name: "Autoregressive, gated", bijection: Autoregressive(net, GatedAffine()), inputDim: 5),
  LawsRow(
    name: "Autoregressive, gated, one number, context",
    bijection: Autoregressive(residual, GatedAffine(forgetBias: 1)), inputDim: 1, contextDim: 2),
  LawsRow(
    name: "Inverted Autoregressive, gated, context",
    bijection: Inverted(
      Serial(Autoregressive(net, GatedAffine()), Reverse(), Autoregressive(net, GatedAffine()))),
    inputDim: 3, contextDim: 2),
  LawsRow(
    name: "Autoregressive, residual, dropout outside of training",
    bijection: Autoregressive(
      MADE(width: 6, residualBlocks: 2, activation: .tanh, dropout: 0.5, lastWeight: .glorotUniform)),
    inputDim: 3, contextDim: 1),
  LawsRow(name: "Autoregressive, volume preserving", bijection: Autoregressive(net, Shift()), inputDim: 5),
  LawsRow(
    name: "Autoregressive, volume preserving, one number", bijection: Autoregressive(net, Shift()),
    inputDim: 1),
]

/// With the transformers that the coupling's rows look at more closely.
private let splines: [LawsRow] = [
  LawsRow(
    name: "Autoregressive, rational-quadratic spline",
    bijection: Autoregressive(net, RationalQuadraticSpline(bins: 4)),
    inputDim: 3),
  LawsRow(
    name: "Autoregressive, spline, random degrees, context",
    bijection: Autoregressive(shuffled, RationalQuadraticSpline(bins: 3)), inputDim: 4, contextDim: 2),
  LawsRow(
    name: "Autoregressive, spline, one number",
    bijection: Autoregressive(net, RationalQuadraticSpline(bins: 2)),
    inputDim: 1),
  LawsRow(
    name: "Autoregressive, spline, far and on knots",
    bijection: Autoregressive(MADE(hidden: [4]), RationalQuadraticSpline(bins: 4, bound: 2)), inputDim: 5,
    inputs: knots, tolerance: .init(gradient: 1e-3)),  // log-dets have kinks on knots
  LawsRow(
    name: "Autoregressive, circular spline",
    bijection: Autoregressive(net, CircularRationalQuadraticSpline(bins: 3)),
    inputDim: 2),
  LawsRow(
    name: "Inverted autoregressive, AUTM, context",
    bijection: Inverted(Autoregressive(net, AUTM(units: 1, steps: 1, lipschitz: 1))), inputDim: 2,
    contextDim: 1),
  LawsRow(
    name: "Coupling, AUTM, image",
    bijection: Coupling(couplingNet, AUTM(units: 1, steps: 1, lipschitz: 1)), inputDim: [2, 1, 2]),
  LawsRow(
    name: "Autoregressive, UMNN", bijection: Autoregressive(net, UMNN(units: 1, nodes: 8)), inputDim: 2),
  LawsRow(
    name: "Autoregressive, deep sigmoidal", bijection: Autoregressive(net, DeepSigmoidal(units: 3)),
    inputDim: 3,
    contextDim: 1),
]

private let inverseAutoregressiveRows: [LawsRow] = [
  LawsRow(name: "IAF", bijection: Inverted(Autoregressive(net)), inputDim: 5),
  LawsRow(
    name: "IAF, random degrees, context", bijection: Inverted(Autoregressive(shuffled)), inputDim: 3,
    contextDim: 2),
  LawsRow(name: "IAF, one number", bijection: Inverted(Autoregressive(net)), inputDim: 1),
  LawsRow(name: "IAF, far", bijection: Inverted(Autoregressive(net)), inputDim: 5, inputs: far),
  LawsRow(
    name: "IAF, between reversals",
    bijection: Serial(Inverted(Autoregressive(residual)), Reverse(), Inverted(Autoregressive(net, Shift()))),
    inputDim: 4),
  LawsRow(
    name: "IAF, spline", bijection: Inverted(Autoregressive(residual, RationalQuadraticSpline(bins: 3))),
    inputDim: 3),
]

private let numericallyInvertedRows: [LawsRow] = [
  LawsRow(name: "SumOfSquares", bijection: Autoregressive(net, SumOfSquares(polynomials: 2)), inputDim: 2),
  LawsRow(
    name: "SumOfSquares, starts as identity",
    bijection: Autoregressive(MADE(hidden: [4]), SumOfSquares(degree: 2)),
    inputDim: 2),
  LawsRow(
    name: "SumOfSquares, one constant, one number, context",
    bijection: Autoregressive(net, SumOfSquares(polynomials: 1, degree: 0)), inputDim: 1, contextDim: 2),
  LawsRow(
    name: "SumOfSquares, coupling of an image",
    bijection: Coupling(couplingNet, SumOfSquares(polynomials: 3, degree: 1)),
    inputDim: [2, 1, 3]),
  LawsRow(
    name: "SumOfSquares, far", bijection: Autoregressive(net, SumOfSquares(degree: 1)), inputDim: 5,
    inputs: far),
  LawsRow(
    name: "SumOfSquares, inverted", bijection: Inverted(Autoregressive(net, SumOfSquares(degree: 2))),
    inputDim: 2),
  LawsRow(
    name: "BernsteinPolynomial", bijection: Autoregressive(net, BernsteinPolynomial(degree: 6)), inputDim: 3),
  LawsRow(
    name: "BernsteinPolynomial, least degree, one number, context",
    bijection: Autoregressive(net, BernsteinPolynomial(degree: 3, bound: 2)), inputDim: 1, contextDim: 2),
  LawsRow(
    name: "BernsteinPolynomial, at the bounds and far",
    bijection: Coupling(couplingNet, BernsteinPolynomial(degree: 5, bound: 3)), inputDim: 5, inputs: knots,
    tolerance: .init(gradient: 1e-3)),  // the third derivative jumps at a bound
  LawsRow(name: "BlockAutoregressive", bijection: BlockAutoregressive(hidden: [4, 3]), inputDim: 3),
  LawsRow(
    name: "BlockAutoregressive, nothing hidden", bijection: BlockAutoregressive(hidden: []), inputDim: 3),
  LawsRow(name: "BlockAutoregressive, one number", bijection: BlockAutoregressive(hidden: [4]), inputDim: 1),
  LawsRow(
    name: "BlockAutoregressive, one number, context", bijection: BlockAutoregressive(hidden: [3]),
    inputDim: 1,
    contextDim: 2),
  LawsRow(
    name: "BlockAutoregressive, two numbers, context", bijection: BlockAutoregressive(hidden: [4, 4]),
    inputDim: 2,
    contextDim: 2),
  LawsRow(
    name: "BlockAutoregressive, image", bijection: BlockAutoregressive(hidden: [2]), inputDim: [1, 2, 1],
    contextDim: [2, 1]),
  LawsRow(
    name: "BlockAutoregressive, far", bijection: BlockAutoregressive(hidden: [3]), inputDim: 5, inputs: far),
  LawsRow(
    name: "BlockAutoregressive, inverted", bijection: Inverted(BlockAutoregressive(hidden: [3])),
    inputDim: 3),
]

private let tokens = CausalTransformer(
  width: 4, layers: 1, heads: 2, expansion: 2, lastWeight: .glorotUniform)

/// Blocks of tokens, with transformers as conditioners, and couplings with a vision transformer.
private let tokenRows: [LawsRow] = [
  LawsRow(name: "TokenAutoregressive", bijection: TokenAutoregressive(tokens), inputDim: [3, 2]),
  LawsRow(
    name: "TokenAutoregressive, reversed, image, context",
    bijection: TokenAutoregressive(tokens, isReversed: true), inputDim: [2, 2, 1], contextDim: 2),
  LawsRow(
    name: "TokenAutoregressive, two tokens of one number", bijection: TokenAutoregressive(tokens),
    inputDim: [2, 1]),
  LawsRow(
    name: "TokenAutoregressive, starts as identity",
    bijection: TokenAutoregressive(CausalTransformer(width: 3, layers: 1)), inputDim: [2, 2]),
  LawsRow(
    name: "TokenAutoregressive, no layers, unbounded",
    bijection: TokenAutoregressive(
      CausalTransformer(width: 3, layers: 0, lastWeight: .glorotUniform),
      InverseTransformer(Affine(scale: .exponential))), inputDim: [3, 1]),
  LawsRow(
    name: "TokenAutoregressive, far", bijection: TokenAutoregressive(tokens), inputDim: [5, 1],
    inputs: far.reshaped(to: [3, 5, 1])),
  LawsRow(
    name: "TokenAutoregressive, spline",
    bijection: TokenAutoregressive(tokens, RationalQuadraticSpline(bins: 3)),
    inputDim: [2, 1]),
  LawsRow(
    name: "TokenAutoregressive, reversible",
    bijection: Reversible(
      Serial(TokenAutoregressive(tokens), TokenAutoregressive(tokens, isReversed: true))), inputDim: [2, 2]),
  LawsRow(
    name: "Coupling, vision transformer, checkerboard",
    bijection: Coupling(
      VisionTransformer(width: 4, layers: 1, heads: 2, expansion: 2, lastWeight: .glorotUniform),
      Affine(scale: .within(low: 0, high: 2)), split: .checkerboard), inputDim: [2, 2, 1]),
  LawsRow(
    name: "Coupling, vision transformer, random channels, context",
    bijection: Coupling(
      VisionTransformer(width: 4, layers: 1, expansion: 1, lastWeight: .glorotUniform),
      Affine(scale: .within(low: 0, high: 2)), split: .random), inputDim: [2, 1, 4], contextDim: 2),
]
