/// x P L U for rows x by two triangular products, and Σ f, for factors as in `PLUProduct`.
///
/// The third result is x P L, for the reverse pass.
struct PLUMultiply: FusedPrimitive {
  /// Row i of P L is row `order[i]` of L.
  let order: Tensor

  func value(_ inputs: Operands) -> Operands {
    let (factors, x) = (inputs.storage(0), inputs[2])
    let (rows, size) = (x.rows, factors.shape[0])
    let (lower, upper) = triangles(size)
    let xP = x.gathered(order.inversePermutation, axis: 1)
    let xPL = xP + lower.gemm(false, false, rows, size, size, xP.storage, factors)
    let y = xPL * scale(inputs) + upper.gemm(false, false, rows, size, size, xPL.storage, factors)
    return Operands(y, inputs[0].diagonal().sum(), xPL)
  }

  func composed(_ inputs: Operands) -> Operands {
    let (factors, xP) = (inputs[0], inputs[2].gathered(order.inversePermutation, axis: 1))
    let xPL = xP + matmul(xP, factors.triangle(.strictlyLower))
    let y = xPL * scale(inputs) + matmul(xPL, factors.triangle(.strictlyUpper))
    return Operands(y, factors.diagonal().sum(), xPL)
  }

  // With h = ȳ Uᵀ: L̄ = (x P)ᵀ h below the diagonal, Ū = (x P L)ᵀ ȳ above it, and x̄ = h Lᵀ Pᵀ. On the
  // diagonal f̄ = Ū U.
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (factors, xPL, scale) = (inputs.storage(0), outputs[2], scale(inputs))
    guard let y = g.optional(0) else {
      return Operands(g[1].broadcast(to: [factors.shape[0]]).diagonalMatrix(), nil, nil)
    }
    let (rows, size) = (y.rows, factors.shape[0])
    let (lower, upper) = triangles(size)
    let scaled = y * scale
    let h = scaled + upper.gemm(false, true, rows, size, size, y.storage, factors)
    var result = Operands(absent: 3)
    if wanted[2] {
      let toXP = h + lower.gemm(false, true, rows, size, size, h.storage, factors)
      result.set(2, to: toXP.gathered(order, axis: 1))
    }
    if wanted[0] {
      let xP = inputs[2].gathered(order.inversePermutation, axis: 1)
      let toLower = lower.gemm(true, false, size, size, rows, xP.storage, h.storage)
      let toFactors = upper.gemm(true, false, size, size, rows, xPL.storage, y.storage)
      let toDiagonal = (xPL * scaled).sum(axis: 0)
      let diagonal = g.optional(1).map { toDiagonal + $0 } ?? toDiagonal
      toFactors.storage.join(toLower.storage, diagonal: diagonal.storage)
      result.set(0, to: toFactors)
    }
    return result
  }

  private func triangles(_ size: Int) -> (lower: Staircase, upper: Staircase) {
    (Staircase(strictlyLower: true, size: size), Staircase(strictlyLower: false, size: size))
  }

  /// The diagonal of U.
  private func scale(_ inputs: Operands) -> Tensor { inputs[1] * exp(inputs[0].diagonal()) }
}

extension Storage {
  /// Takes the numbers below the diagonal from another matrix, and those on it from a vector.
  fileprivate func join(_ lower: Storage, diagonal: Storage) {
    func copy<S: Scalar>(_: S.Type) {
      let (to, from, values): (UnsafeMutablePointer<S>, UnsafeMutablePointer<S>, UnsafeMutablePointer<S>) =
        (pointer(), lower.pointer(), diagonal.pointer())
      for i in 0..<shape[0] {
        (to + i * shape[1]).update(from: from + i * shape[1], count: i)
        to[i * shape[1] + i] = values[i]
      }
    }
    dtype.withScalar { copy($0) }
  }
}

/// x W [rows, n] and log|det W| for rows x [rows, n], where W = P L U as in `pluProduct`.
///
/// W is not formed, so the cost is O(n²) per row.
///
/// - Precondition: that of `pluProduct`; rows of n numbers of the same dtype.
public func pluMultiply(
  _ x: Tensor, factors: Tensor, sign: Tensor, order: Tensor
) -> (rows: Tensor, logDet: Tensor) {
  checkFactors(factors, sign, order)
  require(
    x.rank == 2 && x.shape[1] == factors.shape[0] && x.dtype == factors.dtype,
    "pluMultiply of \(x.shape) \(x.dtype) and factors \(factors.shape) \(factors.dtype)")
  let results = apply(PLUMultiply(order: order), Operands(factors, sign.detached, x))
  return (results[0], results[1])
}
