import Flows

/// The standard deviation along axis 0.
public func deviation(_ x: Tensor) -> Tensor { sqrt(square(x - x.mean(axis: 0)).mean(axis: 0)) }

/// The means and standard deviations of columns; weights have sum 1.
public func moments(_ x: Tensor, weights: Tensor? = nil) -> (mean: [Double], deviation: [Double]) {
  guard let weights = weights?.expanded(axis: 1) else {
    return (x.mean(axis: 0).doubles, deviation(x).doubles)
  }
  let mean = (weights * x).sum(axis: 0)
  return (mean.doubles, sqrt((weights * square(x - mean)).sum(axis: 0)).doubles)
}

/// The covariance matrix of rows.
public func covariance(_ rows: Tensor) -> Tensor {
  let centered = rows - rows.mean(axis: 0)
  return matmul(centered, centered, transposeA: true) / Double(rows.rows)
}

/// The log-density of a normal distribution with the rows' mean and covariance, in double precision.
///
/// - Parameter blur: The standard deviation of noise that is added to the rows.
public func gaussian(fittedTo rows: Tensor, blur: Double = 0) throws -> (Tensor) throws -> Tensor {
  let (rows, size) = (rows.cast(to: .float64), rows.shape[1])
  let noise = Tensor.full([size], blur * blur, dtype: .float64).diagonalMatrix()
  let normal = MultivariateNormal(
    mean: .fixed(rows.mean(axis: 0)), covariance: .fixed(covariance(rows) + noise))
  let (params, logPDF, _) = try normal(Key(0), inputDim: Shape([size]), dtype: .float64)
  return { try logPDF(params, $0.cast(to: .float64)) }
}
