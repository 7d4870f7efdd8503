import Randomness
import Tensors

/// A map from Cholesky factors L of correlation matrices [K, K] to K (K − 1) / 2 reals.
///
/// Map: yᵢⱼ = artanh zᵢⱼ for j < i, row by row, with the partial correlations zᵢⱼ = Lᵢⱼ / √(1 − Σ_{k < j}
/// Lᵢₖ²).
///
/// log|det J| = −Σ_{j < i} (i − j + 1) / 2 · log(1 − zᵢⱼ²), in the chart of the entries below the diagonal;
/// O(K²). A density of the correlation matrix C = L Lᵀ in its own entries needs another factor,
/// det ∂C/∂L = Π Lᵢᵢ^{K−i} (i from 1).
///
/// Inverse: Lᵢⱼ = tanh yᵢⱼ · Π_{k < j} √(1 − zᵢₖ²), and Lᵢᵢ is the product alone; O(K²). No parameters.
///
/// Domain: lower triangular matrices with a positive diagonal and rows of length 1, to 10⁻⁴. Errors:
/// `mismatch` for samples that are not square matrices of at least 2 rows.
///
/// Lewandowski, Kurowicka & Joe 2009, and Stan's reference manual, "Cholesky factors of correlation
/// matrices".
public struct FromCorrelationCholesky: Bijection {
  // Let sᵢₖ = log(1 − zᵢₖ²). The remaining length of row i before j is exp(½ Σ_{k<j} sᵢₖ), and ∂Lᵢⱼ/∂yᵢⱼ is
  // (1 − zᵢⱼ²) times it. Lᵢⱼ depends on yᵢₖ for k ≤ j only. So the inverse's log-det is Σ_{j<i} (sᵢⱼ + ½
  // Σ_{k<j} sᵢₖ), in which sᵢₖ occurs 1 + (i − 1 − k) / 2 times. The forward direction sums the remaining
  // squared lengths from the row's end, since 1 − Σ would cancel.

  /// Makes a map from Cholesky factors of correlation matrices.
  public init() {}

  public func initialize(_ key: Key, at site: Site) throws(FlowError) -> Initialized {
    let size = site.channels
    guard site.inputDim == [size, size], size > 1 else {
      throw .mismatch(
        who: "FromCorrelationCholesky", what: "inputDim", expected: "[K, K] with K at least 2",
        got: "\(site.inputDim)")
    }
    let triangle = StrictTriangle(size: size)
    let places = triangle.places
    let (below, behind) = (Tensor(ints: places), Tensor(ints: places.map { $0 + 1 }))
    let weights = Tensor(places.map { Double($0 / size - $0 % size + 1) / 2 }, dtype: site.dtype)

    @Sendable func logDet(_ y: Tensor) -> Tensor { -(weights * logTanhSlope(y)).sumPerRow() }
    return site.layer(
      "FromCorrelationCholesky", from: Domain(site.inputDim, .correlationCholesky), to: Domain([places.count])
    ) { _, l, _ in
      // The scale is a power of 2 that keeps squares of small numbers above 0, and cancels below. With a
      // larger one, derivatives by the squares would be subnormal numbers, which XLA takes for 0.
      let l = (l.dtype == .float32 ? 0x1p52 : 0x1p486) * l
      let squares = square(l).flipped(axis: -1).cumulativeSum(axis: -1).flipped(axis: -1)
      let (entry, rest) = (l.flatRows.gathered(below), squares.flatRows.gathered(behind))
      // artanh(a / r) = log((r + a) / √(r² − a²)), for a = |entry| and r² = a² + rest.
      let isPositive = entry .>= 0
      let length = select(where: isPositive, entry, -entry)
      let y = log((sqrt(square(entry) + rest) + length) / sqrt(rest))
      let signed = select(where: isPositive, y, -y)
      return (signed, logDet(signed))
    } inverse: { _, y, _ in
      let logs = triangle(logTanhSlope(y))
      let remaining = exp(0.5 * (logs.cumulativeSum(axis: -1) - logs))
      let l = (triangle(tanh(y)) + .identity(size, dtype: y.dtype)) * remaining
      return (l, -logDet(y))
    }
  }
}
