/// A learned invertible matrix on the channels, kept as its PLU factors.
///
/// Map: y = x W with W = P L U on the last axis, where P permutes, L is lower triangular with ones on its diagonal and U is
/// upper triangular with diagonal sign · exp(logScale), which training cannot bring to zero.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: two triangular solves; O(D²) a row, no matrix is inverted. Forward: O(D²) a row and O(D³) once for L U.
///
/// Parameters: `factors` [D, D] holds L below the diagonal, U above it and logScale on it; frozen: `permutation` [D] (int32)
/// and `sign` [D]. They start as the factors of a random rotation or reflection, uniform over both.
///
/// Domain: all reals. Errors: none of its own.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.2, eqs. 9-11.
public struct InvertibleLinear: Bijection {
  /// An invertible linear map.
  public init() {}

  /// Initial parameters and the two directions.
  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions) = (site.channels, Double(site.positions))

    @Sendable func logDet(_ params: Params, _ rows: Int) -> Tensor {
      (params["factors"].diagonal().sum() * positions).broadcast(to: [rows])
    }
    return site.layer("InvertibleLinear", initialParams(key, size, site.dtype)) { params, x, _ in
      let lower = params["factors"].triangle(.strictlyLower) + .identity(size, dtype: x.dtype)
      // Permuting the product's rows costs D² once; permuting x would cost D for each row.
      let weight = matmul(lower, upper(params)).gathered(params["permutation"].inversePermutation, axis: 0)
      return (matmul(x, weight), logDet(params, x.rows))
    } inverse: { params, y, _ in
      // y = z L U with z = x P. Transposed: Uᵀ v = yᵀ, then Lᵀ zᵀ = v.
      let columns = y.reshaped(to: [y.count / size, size]).transposed()
      let v = triangularSolve(upper(params), columns, lower: false, transposed: true)
      let z = triangularSolve(params["factors"], v, lower: true, transposed: true, unit: true).transposed()
      let x = z.gathered(params["permutation"].inversePermutation).reshaped(to: y.shape)
      return (x, -logDet(params, y.rows))
    }
  }

  private func initialParams(_ key: Key, _ size: Int, _ dtype: DType) -> Params {
    let (packed, order) = lu(Initializer.orthogonal()(key, [size, size]).cast(to: .float64))
    let diagonal = packed.diagonal()
    let factors =
      packed.triangle(.strictlyLower) + packed.triangle(.strictlyUpper) + log(abs(diagonal)).diagonalMatrix()
    return [
      "factors": .leaf(factors.cast(to: .float32).cast(to: dtype)),
      "permutation": .frozen(order),
      "sign": .frozen(sign(diagonal).cast(to: dtype)),
    ]
  }
}

/// U: `factors` above the diagonal, sign · exp(logScale) on it.
private func upper(_ params: Params) -> Tensor {
  let factors = params["factors"]
  return factors.triangle(.strictlyUpper) + (params["sign"] * exp(factors.diagonal())).diagonalMatrix()
}
