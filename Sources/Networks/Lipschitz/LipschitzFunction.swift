import Tensors

/// A perceptron with LipSwish at given weights, as a function of rows x [rows, D].
///
/// The tensors are, layer by layer, the weight [in, out], the shift [out] or [rows, out], and β [1] where an
/// activation follows.
package struct LipschitzFunction: Sendable {
  /// The weights, shifts and sharpnesses.
  package let tensors: [Tensor]

  package init(_ tensors: [Tensor]) { self.tensors = tensors }

  private var layers: Int { (tensors.count + 1) / 3 }
  private func weight(_ i: Int) -> Tensor { tensors[3 * i] }
  private func shifted(_ x: Tensor, _ i: Int) -> Tensor {
    let shift = tensors[3 * i + 1]
    return shift.rank == 1 ? dense(x, weight(i), shift) : matmul(x, weight(i)) + shift
  }

  /// The same function on some of its rows.
  package func rows(_ rows: [Int]) -> LipschitzFunction {
    LipschitzFunction(tensors.enumerated().map { $0 == 1 && $1.rank == 2 ? $1.rows(rows) : $1 })
  }

  /// The same function as a constant.
  package var detached: LipschitzFunction { LipschitzFunction(tensors.map(\.detached)) }

  /// The values [rows, out].
  package func callAsFunction(_ x: Tensor) -> Tensor {
    (1..<layers).reduce(shifted(x, 0)) { h, i in shifted(lipSwish(h, tensors[3 * i - 1]), i) }
  }

  /// The values [rows, out] and the Jacobians [rows, in, out], whose entry (i, o) is ∂fₒ/∂xᵢ.
  ///
  /// One matrix product per layer moves all D tangents of all rows.
  package func valueAndJacobian(_ x: Tensor) -> (value: Tensor, jacobian: Tensor) {
    var (h, jacobian) = (shifted(x, 0), weight(0).expanded(axis: 0))
    for i in 1..<layers {
      let (value, slope) = lipSwishAndSlope(h, tensors[3 * i - 1])
      (h, jacobian) = (shifted(value, i), ScaledProduct()(slope, jacobian, weight(i)))
    }
    return (h, jacobian.broadcast(to: [x.rows, x.shape[1], h.shape[1]]))
  }

  /// The slopes of each hidden layer's activations at x, for `pulled`.
  package func slopes(_ x: Tensor) -> [Tensor] {
    var (h, slopes): (Tensor, [Tensor]) = (shifted(x, 0), [])
    for i in 1..<layers {
      let (value, slope) = lipSwishAndSlope(h, tensors[3 * i - 1])
      h = shifted(value, i)
      slopes.append(slope)
    }
    return slopes
  }

  /// The product of cotangents [rows, out] with the Jacobians, [rows, in].
  package func pulled(_ cotangents: Tensor, through slopes: [Tensor]) -> Tensor {
    (0..<layers).reversed().reduce(cotangents) { g, i in
      let inner = matmul(g, weight(i), transposeB: true)
      return i > 0 ? inner * slopes[i - 1] : inner
    }
  }
}

/// LipSwish, h · sigmoid(β h) / 1.1. Its largest slope is 1.0998 / 1.1, and its second derivative is
/// continuous.
func lipSwish(_ h: Tensor, _ sharpness: Tensor) -> Tensor { h * sigmoid(sharpness * h) / 1.1 }

/// LipSwish and its derivative by h.
func lipSwishAndSlope(_ h: Tensor, _ sharpness: Tensor) -> (value: Tensor, slope: Tensor) {
  let results = apply(LipSwish(), Operands(h, sharpness))
  return (results[0], results[1])
}
