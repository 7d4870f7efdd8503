import Randomness
import Tensors

/// A learned rotation of the channels, the Cayley transform of a skew-symmetric matrix.
///
/// Map: y = x Q on the last axis, Q = (I + A)⁻¹ (I − A), A = G − Gᵀ skew-symmetric. log|det J| = 0.
///
/// Inverse: x = y Qᵀ. Cost, both ways: O(D²) per row and O(D³) once.
///
/// Parameters: `generators` [D (D − 1) / 2], the rows of G below its diagonal, normal with standard
/// deviation 1/√D at first.
///
/// Domain: all reals. Errors: none of its own.
///
/// Helfrich, Willmott & Ye 2017, *Orthogonal Recurrent Neural Networks with Scaled Cayley Transform*, arXiv
/// 1707.09520, without its diagonal of signs.
public struct Rotation: Bijection {
  // A has eigenvalues ±iθ, so I + A has singular values √(1 + θ²) ≥ 1 and is always invertible. One LU
  // factorization and two substitutions are enough, and all of them are primitives with derivatives. Q is
  // orthogonal, since the two factors and their transposes commute. Its determinant is
  // det(I − A) / det(I + A) = 1. Q turns by angles 2 atan θ. It reaches all rotations except those with an
  // eigenvalue of exactly −1, the limit θ → ∞. The exponential of A reaches these too but needs scaling and
  // squaring; Givens rotations need D (D − 1) / 2 sequential steps.

  /// Makes a rotation.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    let triangle = StrictTriangle(size: size)
    let generators = key.normal([triangle.count]) / Double(size).squareRoot()

    @Sendable func rotation(_ params: Params) -> Tensor {
      let below = triangle(params["generators"])
      let (skew, identity) = (below - below.transposed(), Tensor.identity(size, dtype: below.dtype))
      return solve(identity + skew, identity - skew)
    }
    let params: Params = ["generators": .leaf(generators.cast(to: site.dtype))]
    return site.volumePreserving("Rotation", params) { params, x, _ in
      matmul(x, rotation(params))
    } inverse: { params, y, _ in
      matmul(y, rotation(params), transposeB: true)
    }
  }
}
