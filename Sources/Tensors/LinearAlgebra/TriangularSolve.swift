import CKernels

/// x = op(T)⁻¹ b by substitution; op transposes T or not.
struct TriangularSolve: Primitive {
  let isLower: Bool
  let isTransposed: Bool
  let isUnit: Bool

  func value(_ inputs: Operands) -> Operands {
    let (t, b) = (inputs.storage(0), inputs.storage(1))
    let x = Storage(shape: b.shape, dtype: b.dtype)
    x.address.copyMemory(from: b.address, byteCount: b.count * b.dtype.byteCount)
    let (n, columns) = (b.shape[0], b.shape[1])
    switch b.dtype {
    case .float32:
      ck_triangular_solve_f32(isLower, isTransposed, isUnit, n, columns, t.floats, x.floats)
    case .float64:
      ck_triangular_solve_f64(isLower, isTransposed, isUnit, n, columns, t.doubles, x.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(x))
  }

  private var triangle: Triangle {
    isUnit ? (isLower ? .strictlyLower : .strictlyUpper) : (isLower ? .lower : .upper)
  }

  // op(T) dx = db - op(dT) x
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let fromT = tangents.optional(0).map {
      -matmul($0.triangle(triangle), outputs[0], transposeA: isTransposed)
    }
    switch (fromT, tangents.optional(1)) {
    case (nil, nil): return Operands(nil)
    case (let dt?, let db?): return Operands(self(inputs[0], db + dt))
    case (let d?, nil), (nil, let d?): return Operands(self(inputs[0], d))
    }
  }

  // b̄ = op(T)⁻ᵀ x̄ and op(T)̄ = -b̄ xᵀ, of which only the triangle that is read counts.
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let adjoint = TriangularSolve(isLower: isLower, isTransposed: !isTransposed, isUnit: isUnit)
    let toB = adjoint(inputs[0], cotangents[0])
    let x = outputs[0]
    let toT =
      wanted[0]
      ? -(isTransposed ? matmul(x, toB, transposeB: true) : matmul(toB, x, transposeB: true)).triangle(
        triangle)
      : nil
    return Operands(toT, toB)
  }
}

/// Solves op(T) x = b by substitution, O(n²) a column, where only the named triangle of T [n, n] is read; b [n, columns].
///
/// A zero on the diagonal gives infinities or NaN.
///
/// - Parameters:
///   - lower: whether T is lower triangular as stored.
///   - transposed: whether op transposes T.
///   - unit: whether the diagonal is 1, and not read.
/// - Precondition: sizes and dtypes agree.
public func triangularSolve(
  _ t: Tensor, _ b: Tensor, lower: Bool, transposed: Bool = false, unit: Bool = false
) -> Tensor {
  require(
    t.rank == 2 && t.shape[0] == t.shape[1] && b.rank == 2 && b.shape[0] == t.shape[0] && t.dtype == b.dtype,
    "triangularSolve of \(t.shape) \(t.dtype) and \(b.shape) \(b.dtype)")
  return TriangularSolve(isLower: lower, isTransposed: transposed, isUnit: unit)(t, b)
}
