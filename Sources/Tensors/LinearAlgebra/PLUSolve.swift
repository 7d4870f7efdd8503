import CKernels

/// x with x P L U = y, row by row, by two triangular solves in one pass over the rows; factors as of `PLUProduct`.
struct PLUSolve: FusedPrimitive {
  /// Number i of a row of x is number `order[i]` of z, where z L U = y.
  let order: Tensor

  func value(_ inputs: Operands) -> Operands {
    let size = inputs[0].shape[0]
    if size > CK_PLU_SOLVE_MAX { return composed(inputs) }
    let (packed, y) = (upper(inputs[0], inputs[1]).storage, inputs.storage(2))
    let x = Storage(shape: y.shape, dtype: y.dtype)
    let order = order.storage.ints
    switch y.dtype {
    case .float32: ck_plu_solve_f32(size, y.shape[0], packed.floats, order, y.floats, x.floats)
    case .float64: ck_plu_solve_f64(size, y.shape[0], packed.doubles, order, y.doubles, x.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(x))
  }

  // Transposed: Uᵀ v = yᵀ, then Lᵀ zᵀ = v.
  func composed(_ inputs: Operands) -> Operands {
    let (factors, sign, y) = (inputs[0], inputs[1], inputs[2])
    let v = triangularSolve(upper(factors, sign), y.transposed(), lower: false, transposed: true)
    let z = triangularSolve(factors, v, lower: true, transposed: true, unit: true)
    return Operands(z.gathered(order, axis: 0).transposed())
  }

  // From dx W + x dW = dy: ȳ = x̄ W⁻ᵀ and W̄ = -xᵀ ȳ, which goes on to the factors as a product's does.
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let (factors, sign) = (inputs[0], inputs[1])
    let columns = cotangents[0].transposed().gathered(order.inversePermutation, axis: 0)
    let v = triangularSolve(factors, columns, lower: true, unit: true)
    let toY = triangularSolve(upper(factors, sign), v, lower: false).transposed()
    if !wanted[0] { return Operands(nil, nil, toY) }
    let (product, operands) = (PLUProduct(), Operands(factors, sign, order))
    let toWeight = Operands(-matmul(outputs[0], toY, transposeA: true), nil, nil, nil)
    let toFactors = product.cotangent(toWeight, operands, product.value(operands), wanted: wanted)
    return Operands(toFactors[0], nil, toY)
  }

  /// U on and above the diagonal, and L's numbers below it.
  private func upper(_ factors: Tensor, _ sign: Tensor) -> Tensor {
    factors.withDiagonal(sign * exp(factors.diagonal()))
  }
}

/// x with x W = y, for rows y [rows, n] and W = P L U as of `pluProduct`; O(n²) a row.
///
/// - Precondition: as of `pluProduct`; rows of n numbers of the same dtype.
public func pluSolve(_ y: Tensor, factors: Tensor, sign: Tensor, order: Tensor) -> Tensor {
  checkFactors(factors, sign, order)
  require(
    y.rank == 2 && y.shape[1] == factors.shape[0] && y.dtype == factors.dtype,
    "pluSolve of \(y.shape) \(y.dtype) and factors \(factors.shape) \(factors.dtype)")
  return PLUSolve(order: order)(factors, sign.detached, y)
}
