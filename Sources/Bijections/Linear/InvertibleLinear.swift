import Networks
import Randomness
import Tensors

/// A learned invertible linear map of the channels, parametrized by its PLU factors.
///
/// Map: y = x W with W = P L U on the last axis. P is a permutation, L is lower triangular with a diagonal
/// of ones, and U is upper triangular with diagonal sign · exp(logScale). So W stays invertible in
/// training.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: two triangular solves; O(D²) per row, without a matrix inverse. Forward: O(D²) per row and
/// O(D³) once for L U. From 256 channels on, x P, L and U are multiplied from left to right instead, without
/// the cubic product.
///
/// Parameters: `factors` [D, D] contains L below the diagonal, U above it and logScale on it; frozen:
/// `permutation` [D] (int32) and `sign` [D]. They start as the factors of a random orthogonal matrix,
/// uniform over all of them, or of a random permutation.
///
/// Domain: all reals. Errors: none of its own.
///
/// Kingma & Dhariwal 2018, *Glow*, arXiv 1807.03039, section 3.2, eqs. 9-11. Durkan et al. 2019, *Neural
/// spline flows*, arXiv 1906.04032, start at a permutation.
public struct InvertibleLinear: Bijection {
  /// The random matrix at the start.
  public enum Start: Sendable, Hashable {
    /// An orthogonal matrix.
    case orthogonal
    /// A permutation: L and U start as the identity.
    case permutation
  }

  private let start: Start
  /// The most channels for which W is formed.
  private let formedChannels: Int

  /// Makes an invertible linear map.
  public init(start: Start = .orthogonal) { self.init(start: start, formedChannels: 255) }

  package init(start: Start = .orthogonal, formedChannels: Int) {
    (self.start, self.formedChannels) = (start, formedChannels)
  }

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions) = (site.channels, Double(site.positions))

    return site.layer("InvertibleLinear", initialParams(key, size, site.dtype)) { params, x, _ in
      let (factors, sign) = (params["factors"], params["sign"])
      let order = params["permutation"].inversePermutation
      if size > formedChannels {
        let rows = x.reshaped(to: [x.count / size, size])
        let (y, logDet) = pluMultiply(rows, factors: factors, sign: sign, order: order)
        return (y.reshaped(to: x.shape), logDet * positions)
      }
      let (weight, logDet) = pluProduct(factors: factors, sign: sign, order: order)
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
    if start == .permutation {
      return [
        "factors": .leaf(.zeros([size, size], dtype: dtype)),
        "permutation": .frozen(key.permutationTensor(size)),
        "sign": .frozen(.ones([size], dtype: dtype)),
      ]
    }
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
