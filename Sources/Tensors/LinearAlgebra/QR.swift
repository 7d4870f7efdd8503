import CKernels

/// A = Q R for A [rows, columns] with rows ≥ columns.
///
/// R has a non-negative diagonal, so the factors are unique at full rank.
struct QR: Primitive {
  func value(_ inputs: Operands) -> Operands {
    let a = inputs.storage(0)
    let (rows, columns) = (a.shape[0], a.shape[1])
    let (q, r) = (Storage(like: a), Storage(shape: [columns, columns], dtype: a.dtype))
    withScratch(rows * columns + 2 * rows, a.dtype) {
      ck_qr(a.dtype.kernel, rows, columns, a.address, q.address, r.address, $0)
    }
    return Operands(Tensor(q), Tensor(r))
  }

  // With C = dA R⁻¹, M = QᵀC and Ω = tril(M, -1) - tril(M, -1)ᵀ: dQ = Q Ω + C - Q M, dR = (M - Ω) R.
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let (q, r) = (outputs[0], outputs[1])
    let c = triangularSolve(r, tangents[0].transposed(), lower: false, transposed: true).transposed()
    let m = matmul(q, c, transposeA: true)
    let below = m.triangle(.strictlyLower)
    let omega = below - below.transposed()
    return Operands(matmul(q, omega - m) + c, matmul(m - omega, r).triangle(.upper))
  }

  // With M = R R̄ᵀ - Q̄ᵀ Q and its lower triangle mirrored: Ā = (Q̄ + Q copyltu(M)) R⁻ᵀ.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (q, r) = (outputs[0], outputs[1])
    let gq = g.optional(0) ?? .zeros(q.shape, dtype: q.dtype)
    let gr = (g.optional(1) ?? .zeros(r.shape, dtype: r.dtype)).triangle(.upper)
    let m = matmul(r, gr, transposeB: true) - matmul(gq, q, transposeA: true)
    let mirrored = m.triangle(.lower) + m.triangle(.strictlyLower).transposed()
    let numerator = gq + matmul(q, mirrored)
    return Operands(triangularSolve(r, numerator.transposed(), lower: false).transposed())
  }
}

/// The thin QR factors of a matrix [rows, columns], where R has a non-negative diagonal.
///
/// The factors are differentiable at full column rank. The sum of squares of a column must be finite and
/// positive in the dtype: in float32, entries of 1e±18 are too large or small.
///
/// - Precondition: a matrix with at least as many rows as columns.
public func qr(_ a: Tensor) -> (q: Tensor, r: Tensor) {
  require(a.rank == 2 && a.shape[0] >= a.shape[1], "qr needs rows >= columns, got shape \(a.shape)")
  let results = apply(QR(), Operands(a))
  return (results[0], results[1])
}
