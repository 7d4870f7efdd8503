import Randomness
import Tensors

/// A learned matrix on the channels, a diagonal one plus one of low rank: linear in D, where a full matrix is quadratic.
///
/// Map: y = x W on the last axis, W = S (I + Uᵀ U) = S + S Uᵀ U with S = diag(exp(logScale)) and U of r rows.
///
/// log|det J| = positions · (Σ logScale + log det C), C = I + U Uᵀ of size r, by the matrix determinant lemma.
///
/// Inverse, by Woodbury's identity: W⁻¹ = (I − Uᵀ C⁻¹ U) S⁻¹. Cost, both ways: O(r D) a row (and O(r²) back), O(r² D + r³) once.
///
/// Parameters: `logScale` [D], 0 at first, and `factor` U [r, D], normal of deviation 0.1 at first: not 0, where its
/// gradient would vanish.
///
/// Domain: all reals. Errors: none of its own.
public struct DiagonalPlusLowRank: Bijection {
  // S + A B can be singular, and det = 0 is a wall that training cannot cross. Here nothing can: C is symmetric with
  // eigenvalues 1 + σ², σ a singular value of U, so det C ≥ 1, W is invertible for every value of the parameters, and C
  // does not depend on S, so a small scale cannot spoil its condition. What is given up: W stretches along the rows of U
  // by 1 + σ² ≥ 1 (relative to S) and never shrinks. `Inverted(DiagonalPlusLowRank(...))` is the diagonal minus low rank,
  // (I − Uᵀ C⁻¹ U) S⁻¹, which shrinks by 1 / (1 + σ²): what standardizes data of a factor model.

  private let rank: Int

  /// A diagonal plus a matrix of the given rank.
  ///
  /// - Precondition: a rank of at least 1.
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
