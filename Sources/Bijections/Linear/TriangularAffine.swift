import Randomness
import Tensors

/// A learned triangular matrix with a positive diagonal, and a shift, on the channels.
///
/// Map: y = T x + bias on the last axis, T lower or upper triangular with diagonal exp(logScale): with `.lower` yᵢ depends
/// on x₀ … xᵢ, a linear autoregressive flow.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: x = T⁻¹ (y − bias) by substitution. Cost, both ways: O(D²) a row.
///
/// Parameters: `entries` [D (D − 1) / 2], those of T off its diagonal (row by row of the lower triangle, column by column of
/// the upper), `logScale` [D] and `bias` [D], all 0 at first: the identity.
///
/// Domain: all reals. Errors: none of its own.
public struct TriangularAffine: Bijection {
  /// Where the matrix has its numbers.
  public enum Side: Sendable, Hashable {
    /// On and below the diagonal.
    case lower
    /// On and above the diagonal.
    case upper
  }

  private let side: Side

  /// A triangular map, lower unless said otherwise.
  public init(_ side: Side = .lower) { self.side = side }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions, isLower) = (site.channels, Double(site.positions), side == .lower)
    let triangle = StrictTriangle(size: size)
    let params: Params = [
      "entries": .leaf(.zeros([triangle.count], dtype: site.dtype)),
      "logScale": .leaf(.zeros([size], dtype: site.dtype)), "bias": .leaf(.zeros([size], dtype: site.dtype)),
    ]

    // The matrix or its transpose, whichever is lower.
    @Sendable func lower(_ params: Params) -> Tensor {
      triangle(params["entries"]) + exp(params["logScale"]).diagonalMatrix()
    }
    return site.layer("TriangularAffine", params) { params, x, _ in
      matmul(x, lower(params), transposeB: isLower) + params["bias"]
    } logDet: { params, _, _ in
      params["logScale"].sum() * positions
    } inverse: { params, y, _ in
      (y - params["bias"]).mappingColumns {
        triangularSolve(lower(params), $0, lower: true, transposed: !isLower)
      }
    }
  }
}
