import Tensors

/// The Cholesky factor of a matrix, row-major, or nil if the matrix is not positive definite.
///
/// The result is nil too if the matrix is not symmetric to 10⁻⁶ of its diagonal.
package func choleskyFactor(_ matrix: Tensor) -> [Double]? {
  let (a, n) = (matrix.doubles, matrix.shape[0])
  var l = [Double](repeating: 0, count: n * n)
  for i in 0..<n {
    for j in 0...i {
      let asymmetry = abs(a[i * n + j] - a[j * n + i])
      guard asymmetry <= 1e-6 * (abs(a[i * n + i]) + abs(a[j * n + j])) else { return nil }
      let rest = (0..<j).reduce(a[i * n + j]) { $0 - l[i * n + $1] * l[j * n + $1] }
      if i == j {
        guard rest > 0 else { return nil }
        l[i * n + i] = rest.squareRoot()
      } else {
        l[i * n + j] = rest / l[j * n + j]
      }
    }
  }
  return l
}
