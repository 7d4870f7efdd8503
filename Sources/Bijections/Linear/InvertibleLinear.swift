import Networks
import Randomness
import Tensors

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

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions) = (site.channels, Double(site.positions))

    return site.layer("InvertibleLinear", initialParams(key, size, site.dtype)) { params, x, _ in
      let (weight, logDet) = pluProduct(
        factors: params["factors"], sign: params["sign"], order: params["permutation"].inversePermutation)
      return (matmul(x, weight), logDet * positions)
    } inverse: { params, y, _ in
      let x = pluSolve(
        y.reshaped(to: [y.count / size, size]), factors: params["factors"], sign: params["sign"],
        order: params["permutation"].inversePermutation)
      let logDet = params["factors"].diagonal().sum() * -positions
      return (x.reshaped(to: y.shape), logDet)
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
