import CKernels

/// The product of two matrices, each as it is or transposed. A transpose makes no copy.
struct MatMul: BilinearPrimitive {
  let transposesA, transposesB: Bool

  func value(_ inputs: Operands) -> Operands {
    let (a, b) = (inputs.storage(0), inputs.storage(1))
    let (m, k) = transposesA ? (a.shape[1], a.shape[0]) : (a.shape[0], a.shape[1])
    let n = transposesB ? b.shape[0] : b.shape[1]
    let c = Storage(shape: [m, n], dtype: a.dtype)
    gemm(transposesA, transposesB, m, n, k, a, b, into: c)
    return Operands(Tensor(c))
  }

  // C = AB: the cotangents are GBᵀ and AᵀG. A transposed operand swaps the sides of the product.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, a, b) = (g[0], inputs[0], inputs[1])
    func product(_ x: Tensor, _ xt: Bool, _ y: Tensor, _ yt: Bool) -> Tensor {
      MatMul(transposesA: xt, transposesB: yt)(x, y)
    }
    var result = Operands(absent: 2)
    if wanted[0] {
      result.set(0, to: transposesA ? product(b, transposesB, g, true) : product(g, false, b, !transposesB))
    }
    if wanted[1] {
      result.set(1, to: transposesB ? product(g, true, a, transposesA) : product(a, !transposesA, g, false))
    }
    return result
  }
}

/// c = f(op(a) op(b) + bias) on values.
func gemm(
  _ transposesA: Bool, _ transposesB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Storage, _ b: Storage,
  into c: Storage, bias: Storage? = nil, _ activation: ck_epilogue = CK_IDENTITY_EPILOGUE
) {
  let type = a.dtype.kernel
  forRows(ofProduct: m, n, k) { rows in
    withScratch(ck_gemm_scratch(type, m, n, k), a.dtype) {
      ck_gemm(
        type, transposesA, transposesB, m, rows.lowerBound, rows.upperBound, n, k, a.address, b.address,
        bias?.address, activation, c.address, $0)
    }
  }
}

/// Calls `body` with ranges of the rows of an m by n product of depth k. A large product uses all threads
/// that the caller may use.
///
/// An element is the same chain of operations in any range.
package func forRows(ofProduct m: Int, _ n: Int, _ k: Int, _ body: @Sendable (Range<Int>) -> Void) {
  // A thread gets at least 10⁷ operations, a tenth of a millisecond, and as many rows as fill several tiles.
  let most = min(m / 64, m * n * k >> 22)
  let pieces = most < 2 ? 1 : min(most, Parallelism.threads ?? Processors.count)
  if pieces < 2 { return body(0..<m) }
  onThreads(pieces) { body(m * $0 / pieces..<m * ($0 + 1) / pieces) }
}

/// The matrix product of `a` [..., k] and `b` [k, n]. Leading axes of `a` count as rows.
///
/// Either operand may be taken transposed; it is a matrix then.
///
/// - Precondition: inner sizes and dtypes agree; `b` is a matrix; a transposed `a` is a matrix.
public func matmul(_ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false) -> Tensor {
  require(
    a.rank >= 2 && b.rank == 2 && a.dtype == b.dtype && !(transposeA && a.rank > 2)
      && a.shape[transposeA ? -2 : -1] == b.shape[transposeB ? 1 : 0],
    "matmul of \(a.shape) \(a.dtype)\(transposeA ? " transposed" : "") "
      + "and \(b.shape) \(b.dtype)\(transposeB ? " transposed" : "")")
  let product = MatMul(transposesA: transposeA, transposesB: transposeB)
  if a.rank == 2 { return product(a, b) }
  let matrix = a.reshaped(to: [a.shape.count(of: 0..<a.rank - 1), a.shape[-1]])
  return product(matrix, b).reshaped(to: a.shape.replacing(-1, by: b.shape[transposeB ? 0 : 1]))
}
