import CKernels
import Tensors

extension Staircase {
  /// The weights of a masked layer that exist: those from a unit to units of no lower degree. They have the
  /// shape [in, out]. Nil for degrees that do not rise.
  init?(from inputs: [Double], to outputs: [Double]) {
    for degrees in [inputs, outputs] {
      if zip(degrees, degrees.dropFirst()).contains(where: { !($0 <= $1) }) { return nil }
    }
    var (limit, first) = ([UInt32](), [UInt32]())
    var (i, j) = (0, 0)
    for output in outputs {
      while i < inputs.count, inputs[i] <= output { i += 1 }
      limit.append(UInt32(i))
    }
    for input in inputs {
      while j < outputs.count, outputs[j] < input { j += 1 }
      first.append(UInt32(j))
    }
    self.init(limit: limit, first: first)
  }

  /// A matrix with ones where a weight exists and zeros elsewhere.
  func mask(dtype: DType) -> Tensor {
    .mask([first.count, limit.count], dtype: dtype) { Int(first[$0])..<limit.count }
  }
}

/// f(x (W ∘ staircase) + b): a dense layer that computes only with the weights that exist.
struct StaircaseDense: FusedPrimitive {
  let staircase: Staircase
  let activation: ck_epilogue

  func value(_ inputs: Operands) -> Operands {
    let (x, weight, bias) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let (rows, width) = (x.shape[0], weight.shape[1])
    return Operands(
      staircase.gemm(false, false, rows, width, x.shape[1], x, weight, bias: bias, activation))
  }

  func composed(_ inputs: Operands) -> Operands {
    let weight = inputs[1] * staircase.mask(dtype: inputs[1].dtype)
    return Operands(activation(matmul(inputs[0], weight) + inputs[2]))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let g = activation.pullback(g[0], outputs[0])
    let (x, weight, rows) = (inputs.storage(0), inputs.storage(1), g.rows)
    return Operands(
      wanted[0] ? staircase.gemm(false, true, rows, x.shape[1], g.shape[1], g.storage, weight) : nil,
      wanted[1] ? staircase.gemm(true, false, x.shape[1], g.shape[1], rows, x, g.storage) : nil,
      wanted[2] ? g.sum(axis: 0) : nil)
  }
}

/// f(x (W ∘ staircase) + b) for x [rows, in], W [in, out] and b [out].
///
/// - Precondition: sizes and dtypes agree.
func dense(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor, _ activation: Activation, within staircase: Staircase
) -> Tensor {
  checkDense(x, weight, bias)
  let product = StaircaseDense(staircase: staircase, activation: activation.fused)
  return activation.finished(product(x, weight, bias))
}
