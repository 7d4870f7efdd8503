import Randomness
import Tensors

/// A map from symmetric positive definite matrices [K, K] to K (K + 1) / 2 reals.
///
/// Map: with the Cholesky factor S = L Lᵀ, the results are log L₁₁ … log L_KK, and then the entries of L
/// below its diagonal, row by row.
///
/// log|det J| = −K log 2 − Σᵢ (K − i + 2) log Lᵢᵢ (i from 1), in the chart of the entries of S on and below
/// its diagonal. So densities are those of S in these entries, as of a Wishart distribution. Cost: O(K³).
///
/// Inverse: L with the exponentials on its diagonal, and S = L Lᵀ; O(K³). No parameters.
///
/// Domain: positive definite matrices, symmetric to 10⁻⁴. A matrix of the inverse whose condition number is
/// beyond the dtype may round to one that is not. Errors: `mismatch` for samples that are not square
/// matrices.
///
/// Stan's reference manual, "Covariance matrices".
public struct FromPositiveDefinite: Bijection {
  // S_ij for j ≤ i depends on row i and row j of L. In the order of the rows, ∂S/∂L is triangular, with
  // 2 Lᵢᵢ for Sᵢᵢ by Lᵢᵢ and Lⱼⱼ for Sᵢⱼ by Lᵢⱼ, j < i. Its determinant is 2ᴷ Π Lᵢᵢ^(K − i + 1). The
  // logarithms of the diagonal add one factor Lᵢᵢ each.

  /// Makes a map from positive definite matrices.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    try site.expect(site.inputDim == [size, size], "FromPositiveDefinite", "inputDim", "[K, K]")
    let triangle = StrictTriangle(size: size)
    // The place of each entry of a row-wise triangle in the column-wise one.
    let places = triangle.places.map { place in
      let (i, k) = (place / size, place % size)
      return k * size - k * (k + 1) / 2 + i - k - 1
    }
    let byRow = Tensor(ints: places)
    let weights = Tensor((0..<size).map { Double(size - $0 + 1) }, dtype: site.dtype)
    let constant = Double(size) * 0.69314718055994530942

    @Sendable func logDet(_ logDiagonal: Tensor) -> Tensor { -(weights * logDiagonal).sumPerRow() - constant }
    return site.layer(
      "FromPositiveDefinite", from: Domain(site.inputDim, .positiveDefinite),
      to: Domain([size + triangle.count])
    ) { _, s, _ in
      let factor = CholeskyColumns(of: s)
      let logDiagonal = 0.5 * log(factor.pivots)
      if size == 1 { return (logDiagonal, logDet(logDiagonal)) }
      return (concatenate(logDiagonal, factor.entries.gathered(byRow), axis: 1), logDet(logDiagonal))
    } inverse: { _, y, _ in
      let logDiagonal = y.sliced(axis: 1, 0..<size)
      let diagonal = exp(logDiagonal).expanded(axis: 2) * .identity(size, dtype: y.dtype)
      let l = size == 1 ? diagonal : triangle(y.sliced(axis: 1, size..<size + triangle.count)) + diagonal
      return ((l.expanded(axis: 2) * l.expanded(axis: 1)).sum(axis: 3), -logDet(logDiagonal))
    }
  }
}

/// A map from K (K + 1) / 2 reals to symmetric positive definite matrices [K, K], the inverse of
/// `FromPositiveDefinite`.
///
/// Map, log|det J| and inverse: the inverse direction of `FromPositiveDefinite`, in its chart. No parameters.
///
/// Domain: all reals. Errors: `mismatch` for a number of inputs that is not K (K + 1) / 2 for any K.
public struct ToPositiveDefinite: Bijection {
  /// Makes a map to positive definite matrices.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    guard site.inputDim.rank == 1,
      let size = (1...site.channels).first(where: { $0 * ($0 + 1) / 2 == site.channels })
    else {
      throw .mismatch(
        who: "ToPositiveDefinite", what: "inputDim", expected: "K (K + 1) / 2 numbers",
        got: "\(site.inputDim)")
    }
    return try opposite(of: FromPositiveDefinite(), from: [size, size], key, at: site)
  }
}
