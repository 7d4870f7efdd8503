import Bijections
import Tensors

private let far = Tensor(
  [[100, -100, 30, -30, 0], [1e-30, -1e-30, 88, -88, 1], [0, 0, 0, 0, 0]], dtype: .float64)

let linearRows: [LawsRow] =
  rows("Householder, one", Householder(reflections: 1))
  + rows("Householder, three", Householder(reflections: 3))
  + rows("Householder, more than channels", Householder(reflections: 7))
  + rows("FixedInvertibleLinear", FixedInvertibleLinear())
  + rows("QRLinear", QRLinear())
  + rows("SVDLinear", SVDLinear(reflections: 3))
  + rows("TriangularAffine, lower", TriangularAffine())
  + rows("TriangularAffine, upper", TriangularAffine(.upper))
  + rows("DiagonalPlusLowRank, one", DiagonalPlusLowRank(rank: 1))
  + rows("DiagonalPlusLowRank, three", DiagonalPlusLowRank(rank: 3))
  + rows("Inverted DiagonalPlusLowRank", Inverted(DiagonalPlusLowRank(rank: 2)))
  + rows("Rotation", Rotation())
  + rows("InvertibleLinear, from a permutation", InvertibleLinear(start: .permutation))
  + [
    LawsRow(
      name: "ContextRegression", bijection: Serial(ContextRegression(), ActNorm()), inputDim: 5,
      contextDim: 2),
    LawsRow(
      name: "ContextRegression, one number", bijection: ContextRegression(), inputDim: 1, contextDim: 1),
  ]

/// A linear map everywhere: several channels, one, an image, far out, beside a context.
private func rows(_ name: String, _ bijection: any Bijection) -> [LawsRow] {
  [
    LawsRow(name: name, bijection: bijection, inputDim: 5),
    LawsRow(name: "\(name), one number", bijection: bijection, inputDim: 1),
    LawsRow(name: "\(name), image", bijection: bijection, inputDim: [2, 3, 4]),
    LawsRow(name: "\(name), far", bijection: bijection, inputDim: 5, inputs: far),
    LawsRow(name: "\(name), context", bijection: bijection, inputDim: 2, contextDim: 3),
  ]
}
