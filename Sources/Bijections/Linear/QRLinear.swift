import Randomness
import Tensors

/// A learned invertible linear map of the channels, parametrized by its QR factors.
///
/// Map: y = x Q R on the last axis, with Q a product of D Householder reflections and R upper triangular
/// with diagonal exp(logScale). So Q R stays invertible in training.
///
/// log|det J| = positions · Σ logScale, the same for every row; O(D).
///
/// Inverse: a triangular solve and the reflections in the opposite order. Cost, both ways: O(D²) per row
/// and O(D³) once.
///
/// Parameters: `factors` [D, D] contains R above the diagonal, logScale on it and the reflections below it,
/// packed as in LAPACK. Reflection k is along eₖ + Σ_{i>k} factors[i, k] eᵢ, whose 1 keeps it from
/// vanishing. The last reflection flips the last channel's sign. Initially R is the identity, and Q is
/// uniform over orthogonal matrices up to the signs of its columns.
///
/// Domain: all reals. Errors: none of its own.
///
/// Hoogeboom, van den Berg & Welling 2019, *Emerging Convolutions*, arXiv 1901.11137, the QR form of a 1 ×
/// 1 convolution.
public struct QRLinear: Bijection {
  /// Makes an invertible linear map.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let (size, positions) = (site.channels, Double(site.positions))

    @Sendable func parts(_ params: Params) -> (q: Reflections, r: Tensor) {
      let (factors, logScale) = (params["factors"], params["factors"].diagonal())
      let vectors = factors.triangle(.strictlyLower) + .identity(size, dtype: factors.dtype)
      return (
        Reflections(vectors.transposed()), factors.triangle(.strictlyUpper) + exp(logScale).diagonalMatrix()
      )
    }
    let initial = tails(key.normal([size, size])).cast(to: site.dtype)
    return site.layer("QRLinear", ["factors": .leaf(initial)]) { params, x, _ in
      apply(QRProduct(), Operands(x, params["factors"]))[0]
    } logDet: { params, _, _ in
      params["factors"].diagonal().sum() * positions
    } inverse: { params, y, _ in
      let (q, r) = parts(params)
      return q.undo(in: y.mappingColumns { triangularSolve(r, $0, lower: false, transposed: true) })
    }
  }

  /// Computes the vectors of Householder's method for a normal matrix, whose factor Q is uniform (Stewart
  /// 1980).
  ///
  /// Let z be column k from the diagonal down. It is reflected onto its first axis along z + sign(z₁) |z|
  /// e₁, which is scaled to begin with 1.
  private func tails(_ normal: Tensor) -> Tensor {
    let length = sqrt(square(normal.triangle(.lower)).sum(axis: 0))
    let first = normal.diagonal()
    return normal.triangle(.strictlyLower) / (first + select(where: first .>= 0, length, -length))
  }
}
