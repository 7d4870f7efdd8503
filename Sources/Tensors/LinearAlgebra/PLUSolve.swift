import CKernels

/// Solves x P L U = y for each row by two triangular solves in one pass, for factors as in `PLUProduct`.
struct PLUSolve: FusedPrimitive {
  /// Element i of a row of x is element `order[i]` of z, where z L U = y.
  let order: Tensor

  func value(_ inputs: Operands) -> Operands {
    let size = inputs[0].shape[0]
    if size > CK_PLU_SOLVE_MAX { return composed(inputs) }
    let (packed, y) = (upper(inputs[0], inputs[1]).storage, inputs.storage(2))
    let x = Storage(like: y)
    ck_plu_solve(y.dtype.kernel, size, y.shape[0], packed.address, order.storage.ints, y.address, x.address)
    return Operands(Tensor(x))
  }

  // Transposed: Uᵀ v = yᵀ, then Lᵀ zᵀ = v.
  func composed(_ inputs: Operands) -> Operands {
    let (factors, sign, y) = (inputs[0], inputs[1], inputs[2])
    let v = triangularSolve(upper(factors, sign), y.transposed(), lower: false, transposed: true)
    let z = triangularSolve(factors, v, lower: true, transposed: true, unit: true)
    return Operands(z.gathered(order, axis: 0).transposed())
  }

  // From dx W + x dW = dy: ȳ = x̄ W⁻ᵀ and W̄ = -xᵀ ȳ. The product's rule takes W̄ on to the factors.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (factors, sign) = (inputs[0], inputs[1])
    let columns = g[0].transposed().gathered(order.inversePermutation, axis: 0)
    let v = triangularSolve(factors, columns, lower: true, unit: true)
    let toY = triangularSolve(upper(factors, sign), v, lower: false).transposed()
    if !wanted[0] { return Operands(nil, nil, toY) }
    let (product, operands) = (PLUProduct(), Operands(factors, sign, order))
    let toWeight = Operands(-matmul(outputs[0], toY, transposeA: true), nil, nil, nil)
    let toFactors = product.cotangent(toWeight, operands, product.value(operands), wanted: wanted)
    return Operands(toFactors[0], nil, toY)
  }

  /// U on and above the diagonal, and L below it.
  private func upper(_ factors: Tensor, _ sign: Tensor) -> Tensor {
    factors.withDiagonal(sign * exp(factors.diagonal()))
  }
}

/// Solves x W = y for rows y [rows, n], where W = P L U as in `pluProduct`. The cost is O(n²) per row.
///
/// - Precondition: that of `pluProduct`; rows of n numbers of the same dtype.
public func pluSolve(_ y: Tensor, factors: Tensor, sign: Tensor, order: Tensor) -> Tensor {
  checkFactors(factors, sign, order)
  require(
    y.rank == 2 && y.shape[1] == factors.shape[0] && y.dtype == factors.dtype,
    "pluSolve of \(y.shape) \(y.dtype) and factors \(factors.shape) \(factors.dtype)")
  return PLUSolve(order: order)(factors, sign.detached, y)
}
