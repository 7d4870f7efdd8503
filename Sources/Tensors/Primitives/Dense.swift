import CKernels

/// f(xW + b) in one pass over the result.
struct Dense: FusedPrimitive {
  let activation: ck_epilogue

  func value(_ inputs: Operands) -> Operands {
    let (x, weight, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let (m, k, n) = (x.shape[0], x.shape[1], weight.shape[1])
    let y = Storage(shape: [m, n], dtype: x.dtype)
    gemm(false, false, m, n, k, x, weight, into: y, bias: bias, activation)
    return Operands(Tensor(y))
  }

  func composed(_ inputs: Operands) -> Operands {
    Operands(activation(matmul(inputs[0], inputs[1]) + inputs[2]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (x, weight) = (inputs.storage(0), inputs.storage(1))
    let g = activation.pullback(g[0], outputs[0]).storage
    let (m, k, n) = (x.shape[0], x.shape[1], weight.shape[1])
    func result(_ shape: Shape, _ write: (Storage) -> Void) -> Tensor {
      let storage = Storage(shape: shape, dtype: x.dtype)
      write(storage)
      return Tensor(storage)
    }
    return Operands(
      wanted[0] ? result(x.shape) { gemm(false, true, m, k, n, g, weight, into: $0) } : nil,
      wanted[1] ? result(weight.shape) { gemm(true, false, k, n, m, x, g, into: $0) } : nil,
      wanted[2]
        ? result(Shape(n)) { ck_sum_columns(x.dtype.kernel, g.address, m, n, $0.address) } : nil)
  }
}

/// A dense layer: f(xW + b) for x [..., in], W [in, out] and b [out].
///
/// - Precondition: sizes and dtypes agree.
public func dense(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ activation: Activation = .identity
) -> Tensor {
  checkDense(x, weight, bias)
  let primitive = Dense(activation: activation.fused)
  if x.rank == 2 { return activation.finished(primitive(x, weight, bias)) }
  let matrix = x.reshaped(to: [x.shape.count(of: 0..<x.rank - 1), x.shape[-1]])
  return activation.finished(
    primitive(matrix, weight, bias).reshaped(to: x.shape.replacing(-1, by: weight.shape[1])))
}

package func checkDense(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) {
  require(
    x.rank >= 2 && weight.rank == 2 && x.shape[-1] == weight.shape[0] && bias.rank == 1
      && bias.rows == weight.shape[1] && x.dtype == weight.dtype && x.dtype == bias.dtype,
    "dense of \(x.shape) \(x.dtype), weight \(weight.shape) \(weight.dtype), bias \(bias.shape) \(bias.dtype)"
  )
}
