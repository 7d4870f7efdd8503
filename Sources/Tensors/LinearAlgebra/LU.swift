import CKernels

/// P A = L U with partial pivoting.
///
/// The results are one matrix, with L below and U on and above the diagonal, and the order of the rows.
struct LU: Primitive {
  func value(_ inputs: Operands) -> Operands {
    let a = inputs.storage(0)
    let (packed, order) = (Storage(like: a), Storage(shape: [a.shape[0]], dtype: .int32))
    packed.address.copyMemory(from: a.address, byteCount: a.byteCount)
    _ = ck_lu(a.dtype.kernel, a.shape[0], packed.address, order.ints)
    return Operands(Tensor(packed), Tensor(order))
  }

  // With X = L⁻¹ (P dA) U⁻¹: dL = L tril(X, -1), dU = triu(X) U.
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let packed = outputs[0]
    let pda = tangents[0].gathered(outputs[1], axis: 0)
    let left = triangularSolve(packed, pda, lower: true, unit: true)
    let x = triangularSolve(packed, left.transposed(), lower: false, transposed: true).transposed()
    let dl = matmul(packed.unitLower, x.triangle(.strictlyLower)).triangle(.strictlyLower)
    let du = matmul(x.triangle(.upper), packed.triangle(.upper)).triangle(.upper)
    return Operands(dl + du, nil)
  }

  // Ā = Pᵀ L⁻ᵀ (tril(Lᵀ L̄, -1) + triu(Ū Uᵀ)) U⁻ᵀ.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, packed) = (g[0], outputs[0])
    let middle =
      matmul(packed.unitLower, g.triangle(.strictlyLower), transposeA: true).triangle(.strictlyLower)
      + matmul(g.triangle(.upper), packed.triangle(.upper), transposeB: true).triangle(.upper)
    let left = triangularSolve(packed, middle, lower: true, transposed: true, unit: true)
    let both = triangularSolve(packed, left.transposed(), lower: false).transposed()
    return Operands(both.gathered(outputs[1].inversePermutation, axis: 0))
  }
}

extension Tensor {
  fileprivate var unitLower: Tensor { triangle(.strictlyLower) + .identity(shape[0], dtype: dtype) }

  /// The inverse of a permutation (dtype int32, one axis).
  ///
  /// - Precondition: a permutation of 0..<count.
  public var inversePermutation: Tensor {
    if let graph = Graph.innermost([self]) { return graph.inversePermutation(self) }
    var inverse = [Int](repeating: -1, count: count)
    for (to, from) in ints.enumerated() {
      require(from >= 0 && from < count && inverse[from] == -1, "\(ints) is not a permutation")
      inverse[from] = to
    }
    return Tensor(ints: inverse)
  }
}

/// The LU factors of a square matrix with partial pivoting: A[order] = L U.
///
/// `packed` holds U on and above the diagonal, and L below it; the diagonal of L is 1. The cost is ⅔ n³. A
/// singular matrix has a zero on the diagonal of U.
///
/// - Precondition: a square matrix.
public func lu(_ a: Tensor) -> (packed: Tensor, order: Tensor) {
  require(a.rank == 2 && a.shape[0] == a.shape[1], "lu needs a square matrix, got shape \(a.shape)")
  let results = apply(LU(), Operands(a))
  return (results[0], results[1])
}

/// log|det A| of a square matrix, computed from its LU factors; −∞ for a singular matrix.
///
/// - Precondition: a square matrix.
public func logAbsDeterminant(_ a: Tensor) -> Tensor { log(abs(lu(a).packed.diagonal())).sum() }
