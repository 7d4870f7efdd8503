import Flows

/// A normal distribution with full covariance, fitted by its moments: what a flow has to beat.
struct GaussianBaseline {
  private let mean: Tensor
  private let covariance: Tensor

  init(fittedTo rows: Tensor) {
    let rows = rows.cast(to: .float64)
    mean = rows.mean(axis: 0)
    let centered = rows - mean
    covariance = matmul(centered, centered, transposeA: true) / Double(rows.rows)
  }

  /// −½ (x − μ)ᵀ Σ⁻¹ (x − μ) − ½ log det Σ − (D/2) log 2π, by LU.
  func logPDF(_ rows: Tensor) -> Tensor {
    let centered = rows.cast(to: .float64) - mean
    let (packed, order) = lu(covariance)
    let half = triangularSolve(
      packed, centered.transposed().gathered(order, axis: 0), lower: true, unit: true)
    let solved = triangularSolve(packed, half, lower: false).transposed()
    let constant = Double(covariance.rows) * 1.8378770664093454836 + log(abs(packed.diagonal())).sum().item
    return -0.5 * (centered * solved).sumPerRow() - 0.5 * constant
  }
}
