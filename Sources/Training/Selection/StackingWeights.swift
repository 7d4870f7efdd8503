import Tensors

/// Computes the weights of a mixture of densities that maximize the mean log-density of held-out rows.
///
/// The log-likelihood Σᵢ log Σₖ wₖ pₖ(xᵢ) is concave in w. Expectation-maximization climbs it from equal
/// weights: wₖ ← mean over the rows of wₖ pₖ / Σⱼ wⱼ pⱼ. It ends when the mean gains less than 10⁻⁷, or after
/// 1,000 passes. Cost of a pass: one operation per row and density.
///
/// A row that no density supports has no say.
///
/// - Parameter logDensities: one array per density, with one number per held-out row.
///
/// Smyth & Wolpert 1999, *Linearly combining density estimators via stacking*.
func stackingWeights(_ logDensities: [[Double]]) -> [Double] {
  let count = logDensities.count
  var weights = [Double](repeating: 1 / Double(count), count: count)
  // Densities relative to the largest of the row.
  let tops = logDensities[0].indices.map { i in logDensities.reduce(-Double.infinity) { max($0, $1[i]) } }
  let rows = tops.indices.filter { tops[$0].isFinite }
  if rows.isEmpty { return weights }
  let terms = logDensities.map { values in
    let relative = Tensor(rows.map { values[$0] - tops[$0] }, dtype: .float64)
    return exp(relative).doubles
  }
  var last = -Double.infinity
  for _ in 0..<1_000 {
    var shares = [Double](repeating: 0, count: count)
    var sums = [Double](repeating: 0, count: rows.count)
    for k in 0..<count { for i in sums.indices { sums[i] += weights[k] * terms[k][i] } }
    for k in 0..<count { for i in sums.indices { shares[k] += weights[k] * terms[k][i] / sums[i] } }
    weights = shares.map { $0 / Double(rows.count) }
    let likelihood = log(Tensor(sums, dtype: .float64)).mean().item
    if likelihood - last < 1e-7 { break }
    last = likelihood
  }
  return weights
}
