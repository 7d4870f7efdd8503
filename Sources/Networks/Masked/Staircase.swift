import CKernels
import Tensors

/// The weights of a masked layer that exist: those from a unit to units of no lower degree.
///
/// Degrees rise along both axes. So the mask [in, out] is a staircase with zeros below.
package struct Staircase: Sendable {
  /// The number of inputs that feed each output.
  let limit: [UInt32]
  /// The first output that each input feeds.
  let first: [UInt32]

  /// The staircase of rising degrees; nil for degrees that do not rise.
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
    (self.limit, self.first) = (limit, first)
  }

  /// A matrix with ones where a weight exists and zeros elsewhere.
  func mask(dtype: DType) -> Tensor {
    .mask([first.count, limit.count], dtype: dtype) { Int(first[$0])..<limit.count }
  }

  /// The product f(op(a) op(b) + bias), [m, n], in which one factor or the product is a staircase.
  func gemm(
    _ transposesA: Bool, _ transposesB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Storage, _ b: Storage,
    bias: Storage? = nil, _ activation: ck_epilogue = CK_IDENTITY_EPILOGUE
  ) -> Tensor {
    let (c, type) = (Storage(shape: Shape(m, n), dtype: a.dtype), a.dtype.kernel)
    forRows(ofProduct: m, n, k) { rows in
      limit.withUnsafeBufferPointer { limit in
        first.withUnsafeBufferPointer { first in
          var stairs = ck_staircase(limit: limit.baseAddress, first: first.baseAddress)
          withScratch(ck_gemm_scratch(type, m, n, k), a.dtype) {
            ck_gemm_staircase(
              type, transposesA, transposesB, m, rows.lowerBound, rows.upperBound, n, k, a.address, b.address,
              &stairs, bias?.address, activation, c.address, $0)
          }
        }
      }
    }
    return Tensor(c)
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

/// x U for rows x [rows, n] and the upper triangle of a matrix [n, n]. The numbers below its diagonal are not
/// read, and cost no work.
///
/// - Precondition: sizes and dtypes agree.
package func multiply(_ x: Tensor, upperTriangle matrix: Tensor) -> Tensor {
  let places = (0..<matrix.shape[0]).map(Double.init)
  return dense(
    x, matrix, .zeros([places.count], dtype: x.dtype), .identity, within: Staircase(from: places, to: places)!
  )
}
