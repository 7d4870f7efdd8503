import CKernels

/// x = op(T)⁻¹ b by substitution, where op transposes T or leaves it.
struct TriangularSolve: Primitive {
  let isLower, isTransposed, isUnit: Bool

  func value(_ inputs: Operands) -> Operands {
    let (t, b) = (inputs.storage(0), inputs.storage(1))
    let x = Storage(like: b)
    x.address.copyMemory(from: b.address, byteCount: b.byteCount)
    ck_triangular_solve(
      b.dtype.kernel, isLower, isTransposed, isUnit, b.shape[0], b.shape[1], t.address, x.address)
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
    return Operands(sum(tangents.optional(1), fromT).map { self(inputs[0], $0) })
  }

  // b̄ = op(T)⁻ᵀ x̄ and op(T)̄ = -b̄ xᵀ, restricted to the triangle that is read.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let adjoint = TriangularSolve(isLower: isLower, isTransposed: !isTransposed, isUnit: isUnit)
    let toB = adjoint(inputs[0], g[0])
    let x = outputs[0]
    let toT =
      wanted[0]
      ? -(isTransposed ? matmul(x, toB, transposeB: true) : matmul(toB, x, transposeB: true)).triangle(
        triangle)
      : nil
    return Operands(toT, toB)
  }
}

/// Solves op(T) x = b for T [n, n] and b [n, columns] by substitution. The cost is O(n²) per column.
///
/// Only the named triangle of T is read. A zero on the diagonal gives infinities or NaN.
///
/// - Parameters:
///   - lower: whether T is lower triangular as stored.
///   - transposed: whether op transposes T.
///   - unit: whether the diagonal counts as 1 and is not read.
/// - Precondition: sizes and dtypes agree.
public func triangularSolve(
  _ t: Tensor, _ b: Tensor, lower: Bool, transposed: Bool = false, unit: Bool = false
) -> Tensor {
  require(
    t.rank == 2 && t.shape[0] == t.shape[1] && b.rank == 2 && b.shape[0] == t.shape[0] && t.dtype == b.dtype,
    "triangularSolve of \(t.shape) \(t.dtype) and \(b.shape) \(b.dtype)")
  return TriangularSolve(isLower: lower, isTransposed: transposed, isUnit: unit)(t, b)
}
