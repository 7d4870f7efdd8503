import Bijections
import Networks
import Randomness
import Tensors
import Testing
import Verification

/// A bijection at a place: one row of the table over which every law is checked.
struct LawsRow: Sendable, CustomTestStringConvertible {
  let name: String
  let bijection: any Bijection
  let inputDim: Shape
  var contextDim: Shape?
  /// Rows at the edges of what the layer takes; by default rows drawn inside the domain.
  var inputs: Tensor?
  var tolerance = Laws.Tolerance()
  /// The coordinates of a sample, where those are not its numbers and the domain does not say so.
  var chart: Chart?

  var testDescription: String { name }
  var laws: Laws {
    Laws(
      of: bijection, inputDim: inputDim, contextDim: contextDim, key: Key(11), inputs: inputs,
      tolerance: tolerance, chart: chart)
  }
}

private let net = MLP(hidden: [7, 6], activation: .tanh, lastWeight: .glorotUniform)

/// Values far out, where scales saturate and squares grow.
private let far = Tensor(
  [[100, -100, 30, -30, 0], [1e-30, -1e-30, 88, -88, 1], [0, 0, 0, 0, 0]], dtype: .float64)

/// Every public layer: a file of rows a family.
let lawsTable =
  foundationRows + elementwiseRows + linearRows + couplingRows + autoregressiveRows + variationalRows
  + imageRows + continuousRows + sphereRows

private let foundationRows: [LawsRow] = [
  LawsRow(name: "ActNorm", bijection: ActNorm(), inputDim: 5),
  LawsRow(name: "ActNorm, one number", bijection: ActNorm(), inputDim: 1),
  LawsRow(name: "ActNorm, image", bijection: ActNorm(), inputDim: [2, 3, 4]),
  LawsRow(
    name: "ActNorm, start without data", bijection: ActNorm(startsFromData: false), inputDim: [2, 3, 4]),
  LawsRow(name: "ActNorm, far", bijection: ActNorm(), inputDim: 5, inputs: far),
  LawsRow(name: "ActNorm, one row", bijection: ActNorm(), inputDim: 5, inputs: far[1..<2]),
  LawsRow(name: "AffineCoupling, even", bijection: AffineCoupling(net), inputDim: 4),
  LawsRow(name: "AffineCoupling, odd", bijection: AffineCoupling(net), inputDim: 5),
  LawsRow(name: "AffineCoupling, one number", bijection: AffineCoupling(net), inputDim: 1),
  LawsRow(
    name: "AffineCoupling, starts as identity", bijection: AffineCoupling(MLP(hidden: [6])), inputDim: 3),
  LawsRow(
    name: "AffineCoupling, exponential", bijection: AffineCoupling(net, scale: .exponential), inputDim: 5),
  LawsRow(
    name: "AffineCoupling, sigmoid", bijection: AffineCoupling(net, scale: .sigmoid(shift: 2)), inputDim: 5),
  LawsRow(name: "AffineCoupling, context", bijection: AffineCoupling(net), inputDim: 5, contextDim: 2),
  LawsRow(
    name: "AffineCoupling, one number, context", bijection: AffineCoupling(net), inputDim: 1, contextDim: 3),
  LawsRow(name: "AffineCoupling, image", bijection: AffineCoupling(net), inputDim: [2, 2, 3]),
  LawsRow(
    name: "AffineCoupling, image, vector context", bijection: AffineCoupling(net), inputDim: [2, 2, 3],
    contextDim: 2),
  LawsRow(
    name: "AffineCoupling, image, image context", bijection: AffineCoupling(net), inputDim: [2, 2, 3],
    contextDim: [2, 2, 1]),
  LawsRow(name: "AffineCoupling, far", bijection: AffineCoupling(net), inputDim: 5, inputs: far),
  LawsRow(name: "AdditiveCoupling, even", bijection: AdditiveCoupling(net), inputDim: 4),
  LawsRow(
    name: "AdditiveCoupling, odd, context", bijection: AdditiveCoupling(net), inputDim: 5, contextDim: 1),
  LawsRow(name: "AdditiveCoupling, one number", bijection: AdditiveCoupling(net), inputDim: 1),
  LawsRow(name: "AdditiveCoupling, image", bijection: AdditiveCoupling(net), inputDim: [2, 2, 3]),
  LawsRow(name: "Coupling, affine", bijection: Coupling(net, Affine()), inputDim: 3),
  LawsRow(name: "InvertibleLinear", bijection: InvertibleLinear(), inputDim: 5),
  LawsRow(name: "InvertibleLinear, one number", bijection: InvertibleLinear(), inputDim: 1),
  LawsRow(
    name: "InvertibleLinear, by triangles", bijection: InvertibleLinear(formedChannels: 2), inputDim: [2, 3]),
  LawsRow(name: "InvertibleLinear, image", bijection: InvertibleLinear(), inputDim: [3, 2, 4]),
  LawsRow(name: "InvertibleLinear, far", bijection: InvertibleLinear(), inputDim: 5, inputs: far),
  LawsRow(name: "Reverse", bijection: Reverse(), inputDim: 5),
  LawsRow(name: "Reverse, one number", bijection: Reverse(), inputDim: 1),
  LawsRow(name: "Reverse, image", bijection: Reverse(), inputDim: [2, 2, 3]),
  LawsRow(name: "Shuffle", bijection: Shuffle(), inputDim: 6),
  LawsRow(name: "Shuffle, one number", bijection: Shuffle(), inputDim: 1),
  LawsRow(name: "Shuffle, image", bijection: Shuffle(), inputDim: [2, 2, 3]),
  LawsRow(name: "Serial", bijection: Serial(ActNorm(), InvertibleLinear(), AffineCoupling(net)), inputDim: 5),
  LawsRow(
    name: "Serial, nested, context",
    bijection: Serial(Shuffle(), Serial(AffineCoupling(net), Reverse()), Inverted(AffineCoupling(net))),
    inputDim: 4,
    contextDim: 2),
  LawsRow(
    name: "Serial, volume preserving", bijection: Serial(Reverse(), AdditiveCoupling(net)), inputDim: 4),
  LawsRow(name: "Serial, bounded within", bijection: Serial(ActNorm(), Logit()), inputDim: 3),
  LawsRow(name: "Serial, bounded on the way back", bijection: Serial(Sigmoid(), ActNorm()), inputDim: 3),
  LawsRow(name: "Serial, empty", bijection: Serial(), inputDim: 3),
  LawsRow(
    name: "Stages",
    bijection: Stages(
      3, sharing: Coupling(net, RationalQuadraticSpline(bins: 4)), after: [InvertibleLinear()]),
    inputDim: 5),
  LawsRow(
    name: "Stages, context",
    bijection: Stages(2, sharing: AffineCoupling(net, split: .random), after: [ActNorm(), Reverse()]),
    inputDim: 4, contextDim: 2),
  LawsRow(
    name: "Stages, one number", bijection: Stages(3, sharing: AffineCoupling(net), after: [ActNorm()]),
    inputDim: 1),
  LawsRow(
    name: "Stages, autoregressive, nothing of their own",
    bijection: Stages(2, sharing: Autoregressive(MADE(hidden: [7], lastWeight: .glorotUniform))),
    inputDim: 3),
  LawsRow(
    name: "Stages, image", bijection: Stages(2, sharing: AffineCoupling(net), after: [InvertibleLinear()]),
    inputDim: [2, 2, 3]),
  LawsRow(
    name: "Stages, image, image context",
    bijection: Stages(2, sharing: AffineCoupling(net), after: [Reverse()]), inputDim: [2, 2, 3],
    contextDim: [2, 2, 1]),
  LawsRow(
    name: "Stages, reversible",
    bijection: Reversible(Stages(3, sharing: AffineCoupling(net), after: [InvertibleLinear()])), inputDim: 4),
  LawsRow(name: "Inverted ActNorm", bijection: Inverted(ActNorm()), inputDim: 5),
  LawsRow(name: "Inverted Serial", bijection: Inverted(Serial(ActNorm(), AffineCoupling(net))), inputDim: 5),
  LawsRow(
    name: "Conditioned",
    bijection: Conditioned(
      Serial(AffineCoupling(net), Reverse()), by: Summary(hidden: [6], width: 3, activation: .tanh)),
    inputDim: 3, contextDim: 4),
  LawsRow(
    name: "Conditioned, one number",
    bijection: Conditioned(
      Autoregressive(MADE(hidden: [4], lastWeight: .glorotUniform)),
      by: Summary(hidden: [6], width: 2, activation: .tanh)),
    inputDim: 1, contextDim: [2, 2]),
  LawsRow(name: "Lambda", bijection: exponential, inputDim: 3),
  LawsRow(name: "Inverted Lambda, positive domain", bijection: Inverted(exponential), inputDim: 3),
]

/// y = eˣ: a layer written on the spot, whose inverse takes positive values only.
let exponential = Lambda { _, site in
  site.layer("exp", to: Domain(site.inputDim, .positive)) { _, x, _ in
    exp(x)
  } logDet: { _, x, _ in
    x.sumPerRow()
  } inverse: { _, y, _ in
    log(y)
  }
}
