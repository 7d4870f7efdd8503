import Tensors

/// ½ Σ (x − target)² / rows: half the mean over rows of squared distances.
public func meanSquaredError(_ x: Tensor, _ target: Tensor) -> Tensor {
  0.5 * square(x - target).sum() / Double(x.rows)
}

/// The product of the Hessian of `meanSquaredError` by x with a direction: v / rows.
public func meanSquaredErrorHessian(_ direction: Tensor) -> Tensor { direction / Double(direction.rows) }

/// The mean over rows of log N(x; mean, deviation²), with its constant −D/2 log 2π − D log deviation.
///
/// - Precondition: a positive deviation.
public func normalLogLikelihood(_ x: Tensor, mean: Double = 0, deviation: Double = 1) -> Tensor {
  require(deviation > 0, "a deviation is positive, got \(deviation)")
  let size = Double(x.count / max(x.rows, 1))
  let constant = size * (0.5 * 1.8378770664093454836 + log(Tensor(deviation, dtype: .float64)).item)
  return -0.5 * square((x - mean) / deviation).sum() / Double(x.rows) - constant
}

/// The product of the Hessian of `normalLogLikelihood` by x with a direction: −v / (deviation² rows).
public func normalLogLikelihoodHessian(_ direction: Tensor, deviation: Double = 1) -> Tensor {
  -direction / (deviation * deviation * Double(direction.rows))
}
