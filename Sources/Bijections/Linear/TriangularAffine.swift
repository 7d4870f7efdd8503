import Randomness
import Tensors

/// A learned triangular linear map of the channels with a positive diagonal, and a shift.
///
/// Map: y = T x + bias on the last axis, T lower or upper triangular with diagonal exp(logScale). With
/// `.lower`, yᵢ depends on x₀ … xᵢ, as in a linear autoregressive flow.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: x = T⁻¹ (y − bias) by substitution. Cost, both ways: O(D²) per row.
///
/// Parameters: `entries` [D (D − 1) / 2], the entries of T off its diagonal, `logScale` [D] and `bias` [D],
/// all 0 at first, which gives the identity. The entries are the rows of the lower triangle or the columns
/// of the upper one.
///
/// Domain: all reals. Errors: none of its own.
public struct TriangularAffine: Bijection {
  /// The side of the diagonal with non-zero entries.
  public enum Side: Sendable, Hashable {
    /// The diagonal and the entries below it.
    case lower
    /// The diagonal and the entries above it.
    case upper
  }

  private let side: Side

  /// Makes a triangular map, lower by default.
  public init(_ side: Side = .lower) { self.side = side }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions, isLower) = (site.channels, Double(site.positions), side == .lower)
    let triangle = StrictTriangle(size: size)
    let params: Params = [
      "entries": .leaf(.zeros([triangle.count], dtype: site.dtype)),
      "logScale": .leaf(.zeros([size], dtype: site.dtype)), "bias": .leaf(.zeros([size], dtype: site.dtype)),
    ]

    // The lower triangular one of T and its transpose.
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
