import Randomness
import Tensors

/// A learned linear map of the channels by a diagonal matrix plus one of low rank.
///
/// Its cost and its number of parameters are linear in the number of channels D; those of a full matrix are
/// quadratic.
///
/// Map: y = x W on the last axis, W = S (I + Uᵀ U) = S + S Uᵀ U with S = diag(exp(logScale)) and U of r rows.
///
/// log|det J| = positions · (Σ logScale + log det C), C = I + U Uᵀ of size r, by the matrix determinant
/// lemma.
///
/// Inverse, by Woodbury's identity: W⁻¹ = (I − Uᵀ C⁻¹ U) S⁻¹. Cost: O(r D) per row, plus O(r²) for the
/// inverse, and O(r² D + r³) once.
///
/// Parameters: `logScale` [D], 0 at first, and `factor` U [r, D], normal with standard deviation 0.1 at
/// first. At U = 0 its gradient would vanish.
///
/// Domain: all reals. Errors: none of its own.
public struct DiagonalPlusLowRank: Bijection {
  // A general S + A B can be singular, and training cannot cross det = 0. This form is always invertible: C
  // is symmetric with eigenvalues 1 + σ² for the singular values σ of U, so det C ≥ 1. C does not depend on
  // S, so a small scale does not affect its condition number. The restriction: relative to S, W stretches
  // along the rows of U by 1 + σ² ≥ 1 and never shrinks. `Inverted(DiagonalPlusLowRank(...))` is (I − Uᵀ
  // C⁻¹ U) S⁻¹, which shrinks by 1 / (1 + σ²). It can standardize data of a factor model.

  private let rank: Int

  /// Makes a diagonal plus a matrix of the given rank.
  ///
  /// - Precondition: The rank is at least 1.
  public init(rank: Int) {
    require(rank > 0, "a low rank is at least 1, got \(rank)")
    self.rank = rank
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (rank, size, positions) = (rank, site.channels, Double(site.positions))
    let factor = 0.1 * key.normal([rank, size])
    let params: Params = [
      "logScale": .leaf(.zeros([size], dtype: site.dtype)), "factor": .leaf(factor.cast(to: site.dtype)),
    ]

    @Sendable func capacitance(_ factor: Tensor) -> Tensor {
      .identity(rank, dtype: factor.dtype) + matmul(factor, factor, transposeB: true)
    }
    return site.layer("DiagonalPlusLowRank", params) { params, x, _ in
      let (scaled, factor) = (x * exp(params["logScale"]), params["factor"])
      return scaled + matmul(matmul(scaled, factor, transposeB: true), factor)
    } logDet: { params, _, _ in
      (params["logScale"].sum() + logAbsDeterminant(capacitance(params["factor"]))) * positions
    } inverse: { params, y, _ in
      let factor = params["factor"]
      let along = matmul(y, factor, transposeB: true).mappingColumns { solve(capacitance(factor), $0) }
      return (y - matmul(along, factor)) * exp(-params["logScale"])
    }
  }
}
