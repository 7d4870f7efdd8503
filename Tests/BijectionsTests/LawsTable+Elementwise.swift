import Bijections
import Tensors
import TestSupport

/// As far out as the outputs of a saturating map still tell the inputs apart in float32.
private func row(_ values: [Double]) -> Tensor { Tensor([values, values.reversed()], dtype: .float64) }

/// From the smallest to the largest that powers of it leave finite in float32.
private let positive = row([1e-4, 0.02, 1, 7, 100])

private let cube = Elementwise("Cube", from: .positive, to: .positive) {
  $0 * $0 * $0
} inverse: {
  pow($0, 1.0 / 3)
} logSlope: {
  log(3 * $0 * $0)
}

private let standardize = Standardize(mean: Tensor([1, -20, 0]), deviation: Tensor([0.01, 3, 500]))

let elementwiseRows: [LawsRow] = [
  LawsRow(name: "Elementwise, cube", bijection: cube, inputDim: 3),
  LawsRow(name: "ElementwiseAffine", bijection: ElementwiseAffine(), inputDim: 5),
  LawsRow(name: "ElementwiseAffine, one number", bijection: ElementwiseAffine(), inputDim: 1),
  LawsRow(name: "ElementwiseAffine, image", bijection: ElementwiseAffine(), inputDim: [2, 3, 2]),
  LawsRow(name: "ElementwiseAffine, context", bijection: ElementwiseAffine(), inputDim: 3, contextDim: 2),
  LawsRow(
    name: "ElementwiseAffine, far", bijection: ElementwiseAffine(), inputDim: 5,
    inputs: row([100, -100, 0, 1e-30, 88])),
  LawsRow(
    name: "Unconditional, spline", bijection: Unconditional(RationalQuadraticSpline(bins: 3)), inputDim: 5),
  LawsRow(name: "Unconditional, one number", bijection: Unconditional(Affine()), inputDim: 1),
  LawsRow(
    name: "Unconditional, image, context", bijection: Unconditional(Affine()), inputDim: [2, 1, 2],
    contextDim: 2),
  LawsRow(
    name: "Unconditional, far", bijection: Unconditional(RationalQuadraticSpline(bins: 4)), inputDim: 5,
    inputs: row([100, -100, 0, 1e-30, 88])),
  LawsRow(name: "Standardize", bijection: standardize, inputDim: 3),
  LawsRow(name: "Standardize, image", bijection: standardize, inputDim: [2, 2, 3]),
  LawsRow(name: "Standardize, one number", bijection: Standardize(of: Tensor([[5], [9]])), inputDim: 1),
  LawsRow(name: "Inverted Standardize", bijection: Inverted(standardize), inputDim: 3),
  LawsRow(name: "Sigmoid", bijection: Sigmoid(), inputDim: 3),
  LawsRow(name: "Sigmoid, image", bijection: Sigmoid(), inputDim: [2, 2, 3]),
  LawsRow(name: "Sigmoid, saturated", bijection: Sigmoid(), inputDim: 5, inputs: row([-80, -12, 0, 5, 12])),
  LawsRow(name: "Logit", bijection: Logit(), inputDim: 3),
  LawsRow(name: "Logit, one number", bijection: Logit(), inputDim: 1),
  LawsRow(
    name: "Logit, at the ends", bijection: Logit(), inputDim: 5,
    inputs: row([1e-30, 1e-6, 0.5, 0.999, 0.99999])),
  LawsRow(name: "Tanh", bijection: Tanh(), inputDim: 3),
  LawsRow(name: "Tanh, saturated", bijection: Tanh(), inputDim: 5, inputs: row([-6, -2, 0, 1e-20, 6])),
  LawsRow(name: "Inverted Tanh", bijection: Inverted(Tanh()), inputDim: 3),
  LawsRow(name: "Softplus", bijection: Softplus(), inputDim: 3),
  LawsRow(
    name: "Softplus, saturated", bijection: Softplus(), inputDim: 5, inputs: row([-80, -20, 0, 20, 100])),
  LawsRow(name: "Inverted Softplus", bijection: Inverted(Softplus()), inputDim: 3),
  LawsRow(
    name: "Inverted Softplus, at the ends", bijection: Inverted(Softplus()), inputDim: 5,
    inputs: row([1e-30, 1e-5, 1, 30, 100])),
  LawsRow(name: "LogisticToNormal", bijection: LogisticToNormal(), inputDim: 3),
  LawsRow(
    name: "LogisticToNormal, between its forms", bijection: LogisticToNormal(), inputDim: 5,
    inputs: row([-5.08, 5.06, 0, 1e-30, 300])),
  LawsRow(name: "Inverted LogisticToNormal", bijection: Inverted(LogisticToNormal()), inputDim: [2, 2]),
  LawsRow(name: "Gaussianization", bijection: Gaussianization(components: 3), inputDim: 3),
  LawsRow(
    name: "Gaussianization, one number, context", bijection: Gaussianization(components: 2), inputDim: 1,
    contextDim: 2),
  LawsRow(name: "Exp", bijection: Exp(), inputDim: 3),
  LawsRow(name: "Exp, saturated", bijection: Exp(), inputDim: 5, inputs: row([-80, -10, 0, 10, 60])),
  LawsRow(name: "Log", bijection: Log(), inputDim: 3),
  LawsRow(name: "Log, at the ends", bijection: Log(), inputDim: 5, inputs: row([1e-30, 1e-5, 1, 1e5, 1e25])),
  LawsRow(name: "LeakyReLU", bijection: LeakyReLU(), inputDim: 5),
  LawsRow(
    name: "LeakyReLU, the kink", bijection: LeakyReLU(slope: 0.2), inputDim: 5,
    inputs: row([-100, -1e-30, 0, 1e-30, 100])),
  LawsRow(name: "LeakyReLU, steep", bijection: LeakyReLU(slope: 3), inputDim: 3),
  LawsRow(name: "Inverted LeakyReLU", bijection: Inverted(LeakyReLU(slope: 0.5)), inputDim: 3),
  LawsRow(name: "Power 3", bijection: Power(3), inputDim: 5, inputs: positive),
  LawsRow(name: "Power 1/2", bijection: Power(0.5), inputDim: 5, inputs: positive),
  LawsRow(name: "Power -1", bijection: Power(-1), inputDim: 3),
  LawsRow(name: "BoxCox 0", bijection: BoxCox(lambda: 0), inputDim: 5, inputs: positive),
  LawsRow(name: "BoxCox 1/2", bijection: BoxCox(lambda: 0.5), inputDim: 5, inputs: positive),
  LawsRow(name: "BoxCox 2", bijection: BoxCox(lambda: 2), inputDim: 3),
  LawsRow(name: "BoxCox -1", bijection: BoxCox(lambda: -1), inputDim: 3),
  LawsRow(name: "BoxCox near 0", bijection: BoxCox(lambda: 1e-12), inputDim: 5, inputs: positive),
  LawsRow(name: "Inverted BoxCox 1/2", bijection: Inverted(BoxCox(lambda: 0.5)), inputDim: 3),
  LawsRow(name: "Inverted BoxCox -1", bijection: Inverted(BoxCox(lambda: -1)), inputDim: 3),
  LawsRow(name: "YeoJohnson 0", bijection: YeoJohnson(lambda: 0), inputDim: 5),
  LawsRow(name: "YeoJohnson 1/2", bijection: YeoJohnson(lambda: 0.5), inputDim: 5),
  LawsRow(name: "YeoJohnson 2", bijection: YeoJohnson(lambda: 2), inputDim: 5),
  LawsRow(name: "YeoJohnson 3, bounded", bijection: YeoJohnson(lambda: 3), inputDim: 5),
  LawsRow(
    name: "YeoJohnson 1/2, far and at 0", bijection: YeoJohnson(lambda: 0.5), inputDim: 5,
    inputs: row([-60, -1e-30, 0, 1e-30, 100])),
  LawsRow(name: "Inverted YeoJohnson -1, bounded", bijection: Inverted(YeoJohnson(lambda: -1)), inputDim: 3),
  LawsRow(name: "BatchNorm, training", bijection: BatchNorm(), inputDim: 3),
  LawsRow(name: "BatchNorm, training, one number", bijection: BatchNorm(momentum: 0), inputDim: 1),
  LawsRow(name: "BatchNorm, training, image", bijection: BatchNorm(momentum: 0), inputDim: [2, 2, 3]),
  LawsRow(
    name: "BatchNorm, training, one row", bijection: BatchNorm(momentum: 0), inputDim: 3,
    inputs: wave([1, 3])),
  LawsRow(
    name: "BatchNorm, training, context", bijection: BatchNorm(momentum: 0), inputDim: 3, contextDim: 2),
  LawsRow(
    name: "BatchNorm, training, in the middle",
    bijection: Serial(InvertibleLinear(), BatchNorm(momentum: 0), ElementwiseAffine()), inputDim: 3),
  LawsRow(name: "BatchNorm, evaluation", bijection: BatchNorm(mode: .evaluation), inputDim: 3),
  LawsRow(
    name: "BatchNorm, evaluation, image", bijection: BatchNorm(mode: .evaluation), inputDim: [2, 2, 3]),
  LawsRow(name: "Inverted BatchNorm", bijection: Inverted(BatchNorm(mode: .evaluation)), inputDim: 3),
]
