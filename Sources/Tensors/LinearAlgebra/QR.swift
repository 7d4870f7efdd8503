import CKernels

/// A = Q R for A [rows, columns], rows ≥ columns; R has a non-negative diagonal, so the factors are unique at full rank.
struct QR: Primitive {
  func value(_ inputs: Operands) -> Operands {
    let a = inputs.storage(0)
    let (rows, columns) = (a.shape[0], a.shape[1])
    let q = Storage(shape: a.shape, dtype: a.dtype)
    let r = Storage(shape: [columns, columns], dtype: a.dtype)
    let scratch = rows * columns + 2 * rows
    switch a.dtype {
    case .float32:
      StoragePool.withScratch(scratch) {
        ck_qr_f32(rows, columns, a.floats, q.floats, r.floats, $0)
      }
    case .float64:
      StoragePool.withScratch(scratch) {
        ck_qr_f64(rows, columns, a.doubles, q.doubles, r.doubles, $0)
      }
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
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
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let (q, r) = (outputs[0], outputs[1])
    let gq = cotangents.optional(0) ?? .zeros(q.shape, dtype: q.dtype)
    let gr = (cotangents.optional(1) ?? .zeros(r.shape, dtype: r.dtype)).triangle(.upper)
    let m = matmul(r, gr, transposeB: true) - matmul(gq, q, transposeA: true)
    let mirrored = m.triangle(.lower) + m.triangle(.strictlyLower).transposed()
    let numerator = gq + matmul(q, mirrored)
    return Operands(triangularSolve(r, numerator.transposed(), lower: false).transposed())
  }
}

/// The thin QR factors of a matrix [rows, columns] by Householder reflections, R with a non-negative diagonal.
///
/// Differentiable at full column rank. A column's sum of squares must be a number of the dtype: entries of 1e±18 are too
/// large or small in float32.
///
/// - Precondition: a matrix with at least as many rows as columns.
public func qr(_ a: Tensor) -> (q: Tensor, r: Tensor) {
  require(a.rank == 2 && a.shape[0] >= a.shape[1], "qr needs rows >= columns, got shape \(a.shape)")
  let results = apply(QR(), Operands(a))
  return (results[0], results[1])
}
