import Bijections
import Networks
import Tensors
import TestSupport
import Verification

/// As far out as activations saturate, and at 0.
private let far = Tensor(
  [[20, -20, 3, -30, 0], [1e-30, -1e-30, 8, -8, 1], [0, 0, 0, 0, 0]], dtype: .float64)

/// A target whose gradient is neither linear nor bounded by a constant.
private let well: Hamiltonian.LogDensity = { q in
  (-0.25 * square(square(q)) - 0.5 * square(q) - 0.3 * q).sumPerRow()
}

/// A contraction that does not start at zero.
private func contraction(_ hidden: [Int], coefficient: Double = 0.9) -> SpectralMLP {
  SpectralMLP(hidden: hidden, coefficient: coefficient, lastWeight: .glorotUniform)
}

let variationalRows: [LawsRow] = contractionRows + residualRows + constraintRows

private let contractionRows: [LawsRow] = [
  LawsRow(name: "ResidualFlow", bijection: ResidualFlow(contraction([5, 4])), inputDim: 3),
  LawsRow(name: "ResidualFlow, one number", bijection: ResidualFlow(contraction([4])), inputDim: 1),
  LawsRow(
    name: "ResidualFlow, one number, context", bijection: ResidualFlow(contraction([3])), inputDim: 1,
    contextDim: 2),
  LawsRow(
    name: "ResidualFlow, image, context", bijection: ResidualFlow(contraction([4])), inputDim: [2, 1, 2],
    contextDim: [2, 1]),
  LawsRow(
    name: "ResidualFlow, nothing hidden", bijection: ResidualFlow(contraction([], coefficient: 0.6)),
    inputDim: 3),
  LawsRow(
    name: "ResidualFlow, starts as identity", bijection: ResidualFlow(SpectralMLP(hidden: [4])), inputDim: 2),
  LawsRow(
    name: "ResidualFlow, close to 1", bijection: ResidualFlow(contraction([3], coefficient: 0.98)),
    inputDim: 2),
  LawsRow(name: "ResidualFlow, far", bijection: ResidualFlow(contraction([4])), inputDim: 5, inputs: far),
  LawsRow(name: "Inverted ResidualFlow", bijection: Inverted(ResidualFlow(contraction([4]))), inputDim: 2),
  LawsRow(
    name: "Serial of ResidualFlows",
    bijection: Serial(ResidualFlow(contraction([4])), ActNorm(), ResidualFlow(contraction([3]))),
    inputDim: 2),
]

private let residualRows: [LawsRow] = [
  LawsRow(name: "Planar", bijection: Planar(), inputDim: 5),
  LawsRow(name: "Planar, one number", bijection: Planar(), inputDim: 1),
  LawsRow(name: "Planar, image", bijection: Planar(), inputDim: [2, 1, 3]),
  LawsRow(name: "Planar, context", bijection: Planar(), inputDim: 3, contextDim: 2),
  LawsRow(name: "Planar, far", bijection: Planar(), inputDim: 5, inputs: far),
  LawsRow(name: "Inverted Planar", bijection: Inverted(Planar()), inputDim: 4),
  LawsRow(name: "Radial", bijection: Radial(), inputDim: 5),
  LawsRow(name: "Radial, one number", bijection: Radial(), inputDim: 1),
  LawsRow(name: "Radial, image, context", bijection: Radial(), inputDim: [2, 1, 3], contextDim: 1),
  LawsRow(name: "Radial, far", bijection: Radial(), inputDim: 5, inputs: far),
  LawsRow(name: "Inverted Radial", bijection: Inverted(Radial()), inputDim: 4),
  LawsRow(name: "Sylvester", bijection: Sylvester(units: 3), inputDim: 5),
  LawsRow(name: "Sylvester, one number", bijection: Sylvester(), inputDim: 1),
  LawsRow(name: "Sylvester, one unit", bijection: Sylvester(units: 1, reflections: 2), inputDim: 4),
  LawsRow(name: "Sylvester, as many units as numbers", bijection: Sylvester(units: 9), inputDim: [2, 2]),
  LawsRow(name: "Sylvester, context", bijection: Sylvester(units: 2), inputDim: 3, contextDim: 2),
  LawsRow(name: "Sylvester, far", bijection: Sylvester(units: 4), inputDim: 5, inputs: far),
  LawsRow(name: "Inverted Sylvester", bijection: Inverted(Sylvester(units: 2)), inputDim: 3),
  LawsRow(name: "Hamiltonian", bijection: Hamiltonian(logDensity: well), inputDim: 6),
  LawsRow(name: "Hamiltonian, one position", bijection: Hamiltonian(steps: 1, logDensity: well), inputDim: 2),
  LawsRow(
    name: "Hamiltonian, context", bijection: Hamiltonian(steps: 5, stepSize: 0.05, logDensity: well),
    inputDim: 4, contextDim: 1),
  LawsRow(name: "Inverted Hamiltonian", bijection: Inverted(Hamiltonian(logDensity: well)), inputDim: 4),
]

/// Rows near the ends of what is allowed.
private let constraintRows: [LawsRow] = [
  LawsRow(name: "FromInterval, above", bijection: FromInterval(above: -2), inputDim: 3),
  LawsRow(name: "FromInterval, below", bijection: FromInterval(below: 5), inputDim: 3),
  LawsRow(name: "FromInterval, between", bijection: FromInterval(-1, 3), inputDim: [2, 2]),
  LawsRow(
    name: "FromInterval, at the ends", bijection: FromInterval(-1, 3), inputDim: 3,
    inputs: Tensor([[-0.999, 1, 2.999], [-0.9, 0, 2.9]], dtype: .float64)),
  LawsRow(name: "Inverted FromInterval", bijection: Inverted(FromInterval(above: 1)), inputDim: 3),
  LawsRow(name: "FromOrdered", bijection: FromOrdered(), inputDim: 5),
  LawsRow(name: "FromOrdered, one number", bijection: FromOrdered(), inputDim: 1),
  LawsRow(name: "FromOrdered, image, context", bijection: FromOrdered(), inputDim: [2, 3], contextDim: 1),
  LawsRow(
    name: "FromOrdered, close", bijection: FromOrdered(), inputDim: 3,
    inputs: Tensor([[-1, 0, 0.01], [-100, 3, 80]], dtype: .float64)),
  LawsRow(name: "Inverted FromOrdered", bijection: Inverted(FromOrdered()), inputDim: 4),
  LawsRow(name: "FromSimplex", bijection: FromSimplex(), inputDim: 5),
  LawsRow(name: "FromSimplex, two numbers", bijection: FromSimplex(), inputDim: 2),
  LawsRow(name: "FromSimplex, image, context", bijection: FromSimplex(), inputDim: [2, 3], contextDim: 1),
  LawsRow(
    name: "FromSimplex, at the corners", bijection: FromSimplex(), inputDim: 3,
    inputs: Tensor([[0.999, 5e-4, 5e-4], [1e-5, 1e-5, 0.99998], [0.25, 0.5, 0.25]], dtype: .float64)),
  // In the chart the last share is 1 minus the others, and far out nothing is left of it.
  LawsRow(
    name: "ToSimplex", bijection: ToSimplex(), inputDim: 4, inputs: wave([9, 4])),
  LawsRow(name: "ToSimplex, one number", bijection: ToSimplex(), inputDim: 1, inputs: wave([9, 1])),
  LawsRow(
    name: "ToSimplex, far", bijection: ToSimplex(), inputDim: 3,
    inputs: Tensor([[6, -6, 0], [0, 0, 0]], dtype: .float64)),
  LawsRow(name: "FromCorrelationCholesky", bijection: FromCorrelationCholesky(), inputDim: [4, 4]),
  LawsRow(name: "FromCorrelationCholesky, two", bijection: FromCorrelationCholesky(), inputDim: [2, 2]),
  LawsRow(
    name: "FromCorrelationCholesky, zeros", bijection: FromCorrelationCholesky(), inputDim: [3, 3],
    inputs: Tensor([1, 0, 0, 0, 1, 0, 0, 0.6, 0.8], shape: [1, 3, 3], dtype: .float64)),
  LawsRow(
    name: "ToCorrelationCholesky", bijection: ToCorrelationCholesky(), inputDim: 6, inputs: wave([9, 6])),
  LawsRow(
    name: "ToCorrelationCholesky, one number, context", bijection: ToCorrelationCholesky(), inputDim: 1,
    contextDim: 1, inputs: wave([9, 1])),
  LawsRow(
    name: "ToCorrelationCholesky, far", bijection: ToCorrelationCholesky(), inputDim: 3,
    inputs: Tensor([[4, -4, 3], [0, 0, 0]], dtype: .float64)),
  // A factor far out gives a matrix that rounding leaves no longer positive definite.
  LawsRow(
    name: "FromPositiveDefinite", bijection: FromPositiveDefinite(), inputDim: [3, 3],
    inputs: Tensor(
      [4, 1, -2, 1, 2, 0.5, -2, 0.5, 5, 1, 0, 0.3, 0, 1, 0.9, 0.3, 0.9, 1.5], shape: [2, 3, 3],
      dtype: .float64)),
  LawsRow(
    name: "FromPositiveDefinite, one", bijection: FromPositiveDefinite(), inputDim: [1, 1],
    inputs: Tensor([1e-4, 1, 300], shape: [3, 1, 1], dtype: .float64)),
  LawsRow(
    name: "FromPositiveDefinite, diagonal, context", bijection: FromPositiveDefinite(), inputDim: [2, 2],
    contextDim: 1,
    inputs: Tensor([[4, 0, 0, 0.25], [1, 0.9, 0.9, 1]], dtype: .float64).reshaped(to: [2, 2, 2])),
  LawsRow(
    name: "ToPositiveDefinite", bijection: ToPositiveDefinite(), inputDim: 6, inputs: wave([9, 6])),
  LawsRow(
    name: "ToPositiveDefinite, one number", bijection: ToPositiveDefinite(), inputDim: 1,
    inputs: wave([9, 1])),
  LawsRow(
    name: "Blockwise",
    bijection: Blockwise(([1], Serial()), ([2], FromInterval(-9, 9)), ([2], ActNorm())), inputDim: 5),
  LawsRow(
    name: "Blockwise, context",
    bijection: Blockwise(([1], ActNorm()), ([2, 2], ActNorm()), ([3], Inverted(FromOrdered()))), inputDim: 8,
    contextDim: 2),
  LawsRow(
    name: "Blockwise, from a simplex", bijection: Blockwise(([3], FromSimplex()), ([1], ActNorm())),
    inputDim: 4,
    inputs: Tensor([[0.2, 0.5, 0.3, -1], [0.01, 0.01, 0.98, 2]], dtype: .float64),
    chart: Chart(dimension: 3) { x in
      concatenate([x.sliced(axis: 1, 0..<2), x.sliced(axis: 1, 3..<4)], axis: 1)
    } embedding: { c in
      let (shares, rest) = (c.sliced(axis: 1, 0..<2), c.sliced(axis: 1, 2..<3))
      return concatenate([shares, 1 - shares.sum(axis: 1, keepDims: true), rest], axis: 1)
    }),
]
