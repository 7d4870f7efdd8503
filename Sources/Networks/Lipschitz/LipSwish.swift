import CKernels
import Tensors

/// The kernels of LipSwish and its slope, for h and the sharpness β [1]. A reverse pass keeps these alone.
struct LipSwish: FusedPrimitive {
  func value(_ inputs: Operands) -> Operands {
    let h = inputs.storage(0)
    let (y, slope) = (Storage(like: h), Storage(like: h))
    ck_lip_swish(h.dtype.kernel, inputs[1].item, h.count, h.address, y.address, slope.address)
    return Operands(Tensor(y), Tensor(slope))
  }

  func composed(_ inputs: Operands) -> Operands {
    let (h, z) = (inputs[0], inputs[1] * inputs[0])
    let gate = sigmoid(z)
    return Operands(h * gate / 1.1, (gate + z * sigmoidSlope(z)) / 1.1)
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let h = inputs.storage(0)
    func given(_ i: Int) -> Tensor { g.optional(i) ?? .zeros(h.shape, dtype: h.dtype) }
    let (own, slope) = (Operands(given(0)).storage(0), Operands(given(1)).storage(0))
    let (gh, gsharpness) = (Storage(like: h), Storage(like: h))
    ck_lip_swish_pullback(
      h.dtype.kernel, inputs[1].item, h.count, own.address, slope.address, h.address, gh.address,
      gsharpness.address)
    return Operands(Tensor(gh), wanted[1] ? Tensor(gsharpness).summed(to: inputs[1].shape) : nil)
  }
}

/// The product of scaled rows with a matrix, (s ⊙ J) W for s [rows, n], J [rows or 1, D, n] and W [n, m].
///
/// A reverse pass scales the rows again instead of keeping D times as many numbers as s has.
struct ScaledProduct: FusedPrimitive {
  func value(_ inputs: Operands) -> Operands { composed(inputs) }

  func composed(_ inputs: Operands) -> Operands {
    Operands(matmul(inputs[0].expanded(axis: 1) * inputs[1], inputs[2]))
  }

  // The rules of the product by a matrix, then of the product by elements.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (scale, rows, weight) = (inputs[0].expanded(axis: 1), inputs[1], inputs[2])
    func matrix(_ x: Tensor) -> Tensor { x.reshaped(to: [x.shape[0] * x.shape[1], x.shape[2]]) }
    var result = Operands(absent: 3)
    if wanted[2] { result.set(2, to: matmul(matrix(scale * rows), matrix(g[0]), transposeA: true)) }
    if !wanted[0] && !wanted[1] { return result }
    let inner = matmul(g[0], weight, transposeB: true)
    if wanted[0] {
      result.set(0, to: (inner * rows).summed(to: scale.shape).reshaped(to: inputs[0].shape))
    }
    if wanted[1] { result.set(1, to: (inner * scale).summed(to: rows.shape)) }
    return result
  }
}
