import CKernels

/// The products of two lists of matrices, pair by pair. Each matrix is taken as it is or transposed.
struct BatchedMatMul: BilinearPrimitive {
  let transposesA, transposesB: Bool

  func value(_ inputs: Operands) -> Operands {
    let (a, b) = (inputs.storage(0), inputs.storage(1))
    let (m, k) = transposesA ? (a.shape[2], a.shape[1]) : (a.shape[1], a.shape[2])
    let n = transposesB ? b.shape[1] : b.shape[2]
    let (count, type) = (a.shape[0], a.dtype.kernel)
    let c = Storage(shape: [count, m, n], dtype: a.dtype)
    withScratch(ck_gemm_scratch(type, m, n, k), a.dtype) { scratch in
      for i in 0..<count {
        ck_gemm(
          type, transposesA, transposesB, m, 0, m, n, k, a.address(i * m * k), b.address(i * k * n), nil,
          CK_IDENTITY_EPILOGUE, c.address(i * m * n), scratch)
      }
    }
    return Operands(Tensor(c))
  }

  // The rule of `MatMul`, pair by pair.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, a, b) = (g[0], inputs[0], inputs[1])
    func product(_ x: Tensor, _ xt: Bool, _ y: Tensor, _ yt: Bool) -> Tensor {
      BatchedMatMul(transposesA: xt, transposesB: yt)(x, y)
    }
    return Operands(
      !wanted[0]
        ? nil : transposesA ? product(b, transposesB, g, true) : product(g, false, b, !transposesB),
      !wanted[1]
        ? nil : transposesB ? product(g, true, a, transposesA) : product(a, !transposesA, g, false))
  }
}

/// The matrix products of `a` [..., m, k] and `b` [..., k, n], pair by pair, for equal leading axes.
///
/// Either operand's matrices may be taken transposed. A transpose makes no copy. Each product has the bits of
/// `matmul` of its two matrices.
///
/// - Precondition: both have rank 3 or more; leading axes, inner sizes and dtypes agree.
public func batchedMatmul(
  _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false
) -> Tensor {
  let rank = a.rank
  require(
    rank >= 3 && b.rank == rank && a.dtype == b.dtype
      && (0..<rank - 2).allSatisfy { a.shape[$0] == b.shape[$0] }
      && a.shape[transposeA ? -2 : -1] == b.shape[transposeB ? -1 : -2],
    "batchedMatmul of \(a.shape) \(a.dtype)\(transposeA ? " transposed" : "") "
      + "and \(b.shape) \(b.dtype)\(transposeB ? " transposed" : "")")
  func list(_ x: Tensor) -> Tensor {
    rank == 3 ? x : x.reshaped(to: [x.shape.count(of: 0..<rank - 2), x.shape[-2], x.shape[-1]])
  }
  let products = BatchedMatMul(transposesA: transposeA, transposesB: transposeB)(list(a), list(b))
  if rank == 3 { return products }
  return products.reshaped(
    to: Shape(a.shape.sizes.dropLast(2) + [products.shape[1], products.shape[2]]))
}
