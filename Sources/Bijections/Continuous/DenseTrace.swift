import Tensors

/// The trace of a product of dense layers' Jacobians: tr(W₀ S₁ W₁ ⋯ Sₙ Wₙ G) with diagonal Sᵢ and G per row.
///
/// Cost per row with layers of width m: O(D m) for one hidden layer. For two without G it is O(m²), whatever
/// D, by s₁ᵀ (W₁ ∘ (W₂ W₀)ᵀ) s₂. Otherwise it is O(n D m²), as one matrix product per layer for all D
/// directions.
struct DenseTrace {
  /// The matrices [in, out], from the D columns of x to the D columns of the velocity.
  let weights: [Tensor]
  /// The diagonals of S₁, ..., Sₙ, each [rows, out].
  let slopes: [Tensor]
  /// The diagonal of G, [rows, D]; nil: 1.
  var gate: Tensor?

  /// The trace, [rows], or a scalar without hidden layers and gate.
  var value: Tensor {
    let (first, last) = (weights[0], weights[weights.count - 1])
    switch (slopes.count, gate) {
    case (0, _):
      let diagonal = (first * .identity(first.shape[0], dtype: first.dtype)).sum(axis: 0)
      return gate.map { ($0 * diagonal).sumPerRow() } ?? diagonal.sum()
    case (1, _):
      let product = first * last.transposed()
      let seen = gate.map { matmul($0, product) } ?? product.sum(axis: 0)
      return (slopes[0] * seen).sumPerRow()
    case (2, nil):
      let back = matmul(first, last, transposeA: true, transposeB: true)
      return (matmul(slopes[0], weights[1] * back) * slopes[1]).sumPerRow()
    default:
      let diagonals = inPieces(
        slopes, weights, of: max(1, 100_000 / (first.shape[0] * first.shape[1]))
      ) { slopes, weights in
        var jacobian = slopes[0].expanded(axis: 1) * weights[weights.startIndex]
        for i in 1..<slopes.count {
          jacobian = matmul(jacobian, weights[weights.startIndex + i]) * slopes[i].expanded(axis: 1)
        }
        return (jacobian * weights[weights.endIndex - 1].transposed()).sum(axis: 2)
      }
      return (gate.map { $0 * diagonals } ?? diagonals).sumPerRow()
    }
  }
}

extension Activation {
  /// The values and the slopes.
  func valueAndSlope(_ x: Tensor) -> (value: Tensor, slope: Tensor) {
    let (value, slope) = jvp(at: x, along: .ones(x.shape, dtype: x.dtype)) { self($0) }
    return (value, slope)
  }
}
