import Randomness
import Tensors

/// From the Cholesky factors L of correlation matrices [K, K] to K (K − 1) / 2 reals: the partial correlations' inverse tanh.
///
/// Map: yᵢⱼ = artanh zᵢⱼ for j < i, row by row, with zᵢⱼ = Lᵢⱼ / √(1 − Σ_{k < j} Lᵢₖ²).
///
/// log|det J| = −Σ_{j < i} (i − j + 1) / 2 · log(1 − zᵢⱼ²), in the chart of the entries below the diagonal; O(K²). A density of
/// the correlation matrix C = L Lᵀ by its own entries has another volume: det ∂C/∂L = Π Lᵢᵢ^{K−i} (i from 1) on top.
///
/// Inverse: Lᵢⱼ = tanh yᵢⱼ · Π_{k < j} √(1 − zᵢₖ²), and Lᵢᵢ is the product alone; O(K²). No parameters.
///
/// Domain: lower triangular, a positive diagonal, rows of length 1 (to 10⁻⁴); anything else throws. Errors: `mismatch` for
/// samples that are not square matrices of at least 2 rows.
///
/// Lewandowski, Kurowicka & Joe 2009, and Stan's reference manual, "Cholesky factors of correlation matrices".
public struct FromCorrelationCholesky: Bijection {
  // With sᵢₖ = log(1 − zᵢₖ²) the remaining length of row i before j is exp(½ Σ_{k<j} sᵢₖ). ∂Lᵢⱼ/∂yᵢⱼ = (1 − zᵢⱼ²) · that length,
  // and Lᵢⱼ depends on yᵢₖ for k ≤ j alone: the inverse's log-det is Σ_{j<i} (sᵢⱼ + ½ Σ_{k<j} sᵢₖ), where sᵢₖ counts
  // 1 + (i − 1 − k) / 2 times. The forward direction takes the remaining squared lengths from the row's end, where they are
  // sums of squares: 1 − Σ would cancel. And log(1 − tanh² y) = 2 (log 2 − y − softplus(−2 y)).

  /// A map from correlation matrices' factors.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    guard site.inputDim == [size, size], size > 1 else {
      throw .mismatch(
        who: "FromCorrelationCholesky", what: "inputDim", expected: "[K, K] with K at least 2",
        got: "\(site.inputDim)")
    }
    let places = LowerPlaces(size: size, dtype: site.dtype)

    @Sendable func logDet(_ y: Tensor) -> Tensor {
      -(places.weights * logOneMinusSquaredTanh(y)).sumPerRow()
    }
    return site.layer(
      "FromCorrelationCholesky", from: Domain(site.inputDim, .correlationCholesky),
      to: Domain([size * (size - 1) / 2])
    ) { _, l, _ in
      let squares = square(l).flipped(axis: -1).cumulativeSum(axis: -1).flipped(axis: -1)
      let entry = l.flatRows.gathered(places.below)
      let behind = squares.flatRows.gathered(places.behind)
      // artanh(a / r) = log(r + a) − log √(r² − a²), for a = |entry| and r² = a² + behind.
      let isPositive = entry .>= 0
      let length = select(where: isPositive, entry, -entry)
      let y = log(sqrt(square(entry) + behind) + length) - 0.5 * log(behind)
      let signed = select(where: isPositive, y, -y)
      return (signed, logDet(signed))
    } inverse: { _, y, _ in
      let logs = places.matrix(logOneMinusSquaredTanh(y))
      let remaining = exp(0.5 * (logs.cumulativeSum(axis: -1) - logs))
      let l = (places.matrix(tanh(y)) + .identity(size, dtype: y.dtype)) * remaining
      return (l, -logDet(y))
    }
  }
}

private func logOneMinusSquaredTanh(_ y: Tensor) -> Tensor {
  2 * (0.69314718055994531 - y - softplus(-2 * y))
}

/// The entries below the diagonal of a flattened matrix, row by row.
private struct LowerPlaces: Sendable {
  /// Where they are, and where their right neighbours are.
  let below, behind: Tensor
  /// (i − j + 1) / 2.
  let weights: Tensor
  private let size: Int
  private let source: Tensor

  init(size: Int, dtype: DType) {
    let pairs = (0..<size).flatMap { i in (0..<i).map { (i: i, j: $0) } }
    below = Tensor(ints: pairs.map { $0.i * size + $0.j })
    behind = Tensor(ints: pairs.map { $0.i * size + $0.j + 1 })
    weights = Tensor(pairs.map { Double($0.i - $0.j + 1) / 2 }, dtype: dtype)
    self.size = size
    // Place 0 is a zero that stands for the diagonal and what is above.
    source = Tensor(
      ints: (0..<size * size).map { place in
        let (i, j) = (place / size, place % size)
        return j < i ? 1 + i * (i - 1) / 2 + j : 0
      })
  }

  /// The matrices with these numbers below the diagonal and zeros elsewhere.
  func matrix(_ entries: Tensor) -> Tensor {
    let filled = concatenate([.zeros([entries.rows, 1], dtype: entries.dtype), entries], axis: 1)
    return filled.gathered(source).reshaped(to: [entries.rows, size, size])
  }
}
