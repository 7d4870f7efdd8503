import Bijections
import Networks
import Randomness
import Tensors
import Verification

private let net = MLP(hidden: [7, 6], activation: .tanh, lastWeight: .glorotUniform)
/// A network whose raw parameters are of a size.
private func large(_ size: Double) -> MLP {
  MLP(hidden: [7], activation: .tanh, lastWeight: .normal(standardDeviation: size))
}

/// Between sharp and distant components a mixture is flat: its slope is below the smallest number's root, and
/// nothing finds the way back. It is inverted numerically, which takes long in debug builds, so its images
/// are smaller.
private func hasPlateaus(_ transformer: any Transformer) -> Bool {
  transformer is MixtureOfLogistics || transformer is DeepSigmoidal
}

/// Values far out, where scales saturate, most of them in the splines' tails.
private let far = Tensor(
  [[100, -100, 30, -30, 0], [1e-30, -1e-30, 88, -88, 1], [0, 0, 0, 0, 0]], dtype: .float64)
/// The knots of eight equal bins within ±3, but for the bounds.
private let knots = Tensor([[-2.25, -1.5, -0.75], [0, 0.75, 1.5], [2.25, 0, -2.25]], dtype: .float64)

/// A network that sees a sample as one vector: what a split of positions needs.
struct WholeSample: Network {
  let network: any Network

  func initialize(
    _ key: Key, inputDim: Shape, outputDim: Shape, dtype: DType
  ) throws(FlowError) -> (params: Params, apply: Apply) {
    let (params, apply) = try network(
      key, inputDim: [inputDim.count], outputDim: [outputDim.count], dtype: dtype)
    return (
      params,
      { params, x in
        apply(params, x.reshaped(to: [x.rows, inputDim.count])).reshaped(to: outputDim.batched(x.rows))
      }
    )
  }
}

/// Every transformer, small. The density of a linear spline jumps at a knot: of 7 bins none is at 0.
let transformerTable: [any Transformer] = [
  Affine(), Shift(), VolumePreservingAffine(), RationalQuadraticSpline(), LinearSpline(bins: 7),
  QuadraticSpline(bins: 4),
  CubicSpline(bins: 4), CircularRationalQuadraticSpline(bins: 5), MixtureOfLogistics(components: 3),
  DeepSigmoidal(units: 3, layers: 2), GatedAffine(), LinearRationalSpline(bins: 4),
]

/// The splits of vectors of four channels.
private let splits: [Split] = [
  .firstHalf, .firstHalf.swapped, .alternating, .alternating.swapped, .random, .random.swapped,
  .mask([true, false, false, true]), .mask([false, true, false, false]).swapped,
]

private let pairs: [LawsRow] = transformerTable.enumerated().flatMap { i, transformer in
  let split = splits[i % splits.count]
  let other = splits[(i + 3) % splits.count]
  return [
    LawsRow(name: "Coupling, \(transformer.name), odd", bijection: Coupling(net, transformer), inputDim: 5),
    LawsRow(
      name: "Coupling, \(transformer.name), \(split), context",
      bijection: Coupling(net, transformer, split: split), inputDim: 4, contextDim: 2),
    LawsRow(
      name: "Coupling, \(transformer.name), \(other)", bijection: Coupling(net, transformer, split: other),
      inputDim: 4),
    LawsRow(
      name: "Coupling, \(transformer.name), one number, context",
      bijection: Coupling(net, transformer, split: other.rule1), inputDim: 1, contextDim: 3),
    LawsRow(
      name: "Coupling, \(transformer.name), checkerboard",
      bijection: Coupling(WholeSample(network: net), transformer, split: .checkerboard),
      inputDim: hasPlateaus(transformer) ? [3, 1, 2] : [3, 2, 2]),
    LawsRow(
      name: "Coupling, \(transformer.name), image",
      bijection: Coupling(net, transformer, split: .alternating),
      inputDim: hasPlateaus(transformer) ? [1, 2, 3] : [2, 2, 3], contextDim: 1),
    LawsRow(
      name: "Coupling, \(transformer.name), far", bijection: Coupling(net, transformer), inputDim: 5,
      inputs: far),
    // The second derivative jumps at a knot, so differences of step h miss the derivative by something like
    // h; that of a linear spline jumps itself.
    LawsRow(
      name: "Coupling, \(transformer.name), on knots", bijection: Coupling(MLP(hidden: [6]), transformer),
      inputDim: 3, inputs: transformer is LinearSpline ? knots + 0.1 : knots,
      tolerance: Laws.Tolerance(gradient: 1e-3)),
    LawsRow(
      name: "Coupling, \(transformer.name), large parameters",
      bijection: Coupling(large(hasPlateaus(transformer) ? 2 : 8), transformer), inputDim: 3),
  ]
}

extension Split {
  /// The split for one channel: a mask's length is that of four.
  fileprivate var rule1: Split { description.hasPrefix("mask") ? .alternating : self }
}

private let forms: [LawsRow] = [
  LawsRow(
    name: "Coupling, residual network",
    bijection: Coupling(
      ResidualMLP(width: 6, activation: .tanh, dropout: 0.5, lastWeight: .glorotUniform),
      RationalQuadraticSpline(bins: 4)), inputDim: 5, contextDim: 2),
  LawsRow(
    name: "AffineCouplingSplit", bijection: AffineCouplingSplit(scale: net, translate: net), inputDim: 5),
  LawsRow(
    name: "AffineCouplingSplit, exponential, context",
    bijection: AffineCouplingSplit(scale: net, translate: net, form: .exponential, split: .random),
    inputDim: 4,
    contextDim: 2),
  LawsRow(
    name: "AffineCouplingSplit, one number", bijection: AffineCouplingSplit(scale: net, translate: net),
    inputDim: 1),
  LawsRow(
    name: "AffineCoupling, alternating", bijection: AffineCoupling(net, split: .alternating), inputDim: 5),
  LawsRow(
    name: "AdditiveCoupling, alternating.swapped",
    bijection: AdditiveCoupling(net, split: .alternating.swapped),
    inputDim: 5),
  LawsRow(
    name: "AffineCoupling, mask of a sample",
    bijection: AffineCoupling(
      WholeSample(network: net), split: .mask([true, false, false, true, true, false, true, true])),
    inputDim: [2, 2, 2]),
  LawsRow(
    name: "Coupling, volume preserving, mask of a sample",
    bijection: Coupling(
      WholeSample(network: net), VolumePreservingAffine(),
      split: .mask([true, false, false, true, true, false, true, true]).swapped), inputDim: [2, 2, 2]),
  LawsRow(
    name: "AffineCoupling, checkerboard.swapped, context",
    bijection: AffineCoupling(WholeSample(network: net), split: .checkerboard.swapped), inputDim: [3, 3, 1],
    contextDim: 2),
  LawsRow(
    name: "AffineCoupling, checkerboard of one position",
    bijection: AffineCoupling(WholeSample(network: net), split: .checkerboard), inputDim: [1, 1, 2],
    contextDim: 2),
  LawsRow(
    name: "AffineCoupling, checkerboard, one axis",
    bijection: AffineCoupling(WholeSample(network: net), split: .checkerboard), inputDim: [5, 2]),
  LawsRow(
    name: "AffineCoupling, nothing passes", bijection: AffineCoupling(net, split: .mask([false, false])),
    inputDim: 2, contextDim: 2),
]

/// Few steps and nodes: the laws concern the map that runs, and debug builds take long for each evaluation.
private let integrated: [LawsRow] = [AUTM(units: 2, steps: 2, lipschitz: 2), UMNN(units: 2, nodes: 8)]
  .flatMap {
    (transformer: any Transformer) in
    [
      LawsRow(name: "Coupling, \(transformer.name)", bijection: Coupling(net, transformer), inputDim: 3),
      LawsRow(
        name: "Coupling, \(transformer.name), one number, context", bijection: Coupling(net, transformer),
        inputDim: 1, contextDim: 2),
      LawsRow(
        name: "Coupling, \(transformer.name), far", bijection: Coupling(MLP(hidden: [3]), transformer),
        inputDim: 5, inputs: far),
      LawsRow(
        name: "Coupling, \(transformer.name), large parameters", bijection: Coupling(large(8), transformer),
        inputDim: 2),
    ]
  }

let couplingRows = pairs + forms + integrated
