import Networks
import Tensors

/// The x with x + g(x) = y for each row, where g is a contraction.
///
/// From dx (I + J) + dg = dy, with J the Jacobian [in, out] and dg the change of g by its weights,
///
///     dx = (dy − dg) (I + J)⁻¹  and, for a cotangent r of x:  ȳ = r (I + J)⁻ᵀ,  w̄ = −(∂g/∂w)ᵀ ȳ.
///
/// The rules differentiate at the result, so derivatives of all orders follow from them. The inputs are y and
/// the tensors of g.
struct ContractionInverse: Primitive {
  /// The Lipschitz constant of g.
  let lipschitz: Double

  /// Solves for all rows.
  func callAsFunction(_ y: Tensor, _ g: LipschitzFunction) -> Tensor {
    apply(self, Operands([y] + g.tensors))[0]
  }

  func value(_ inputs: Operands) -> Operands {
    Operands(ContractionSolver(function(inputs), lipschitz: lipschitz).solve(inputs[0]))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let (x, g) = (outputs[0], function(inputs))
    let weights = Params(g.tensors.map { .leaf($0) })
    let directions = Params(
      g.tensors.enumerated().map { i, weight in
        .leaf(tangents.optional(i + 1) ?? .zeros(weight.shape, dtype: weight.dtype))
      })
    var total = tangents.optional(0)
    if (1..<inputs.count).contains(where: { tangents.optional($0) != nil }) {
      // The directions have the structure of the weights.
      guard let change = try? jvp(at: weights, along: directions, { LipschitzFunction($0.leaves)(x) }).tangent
      else { fatalError("unreachable") }
      total = total.map { $0 - change } ?? -change
    }
    let transposed = matrices(g, x).transposed()
    return Operands(total.map { Elimination(of: transposed, with: $0, pivots: false).solutions })
  }

  func cotangent(_ r: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (x, g) = (outputs[0], function(inputs))
    let toY = Elimination(of: matrices(g, x), with: r[0], pivots: false).solutions
    var result = Operands(absent: inputs.count)
    result.set(0, to: toY)
    if (1..<inputs.count).contains(where: { wanted[$0] }) {
      let slopes = gradient(at: Params(g.tensors.map { .leaf($0) })) { weights in
        -(toY * LipschitzFunction(weights.leaves)(x)).sum()
      }
      for (i, slope) in slopes.leaves.enumerated() where wanted[i + 1] { result.set(i + 1, to: slope) }
    }
    return result
  }

  private func function(_ inputs: Operands) -> LipschitzFunction {
    LipschitzFunction((1..<inputs.count).map { inputs[$0] })
  }

  /// The matrices I + J.
  private func matrices(_ g: LipschitzFunction, _ x: Tensor) -> Tensor {
    g.valueAndJacobian(x).jacobian + .identity(x.shape[1], dtype: x.dtype)
  }
}

extension ContractionInverse: Lowered {
  /// Fixed-point steps, as many as divide an error by 10⁷ or 10¹⁷. Rows that do not converge are NaN.
  package func lowered(_ inputs: Operands, in graph: Graph) -> Operands {
    let (y, g) = (inputs[0], function(inputs))
    let rate = Tensor([lipschitz, y.dtype == .float32 ? 1e7 : 1e17], dtype: .float64)
    let logs = log(rate).doubles
    let steps = lipschitz < 1 ? min(max(Int(-logs[1] / logs[0]) + 1, 50), 200_000) : 200_000
    let x = graph.loop(steps, [y]) { _, x in [y - g(x[0])] }[0]
    func length(_ x: Tensor) -> Tensor { sqrt(square(x).sum(axis: 1, keepDims: true)) }
    let isFound = length(y - x - g(x)) .<= 1e4 * y.dtype.epsilon * (1 + length(y))
    return Operands(select(where: isFound.broadcast(to: x.shape), x, .nan))
  }
}
