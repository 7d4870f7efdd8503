import Randomness
import Tensors

/// A mixture of normal distributions fitted to rows by expectation-maximization, in double precision.
///
/// Each pass computes the responsibilities r of the components for the rows and then, per component,
/// n = Σ r, mean = Σ r x / n and covariance = (Σ r (x − mean)(x − mean)ᵀ + s · diag(v) / K^(2/D)) / (n + s)
/// for K components, the columns' variances v and s = `shrinkage`. Passes end when the mean log-likelihood
/// gains less than 10⁻⁵, or after 100. Cost of a pass: O(rows · K · D²).
///
/// The first means are rows drawn with probabilities that rise with the squared distance to the means before
/// them (Arthur & Vassilvitskii 2007, *k-means++*). The prior of the covariance has the scale of Fraley &
/// Raftery 2007, *Bayesian regularization for normal mixture estimation and model-based clustering*.
struct ExpectationMaximization {
  private(set) var means: [Tensor] = []
  private(set) var covariances: [Tensor] = []
  private(set) var weights: [Double] = []
  private let rows: Tensor
  private let floor: Tensor
  private let shrinkage: Double

  /// Fits `components` to rows [n, D] that are finite.
  init(components: Int, to data: Tensor, shrinkage: Double, key: Key) {
    let rows = data.detached.cast(to: .float64)
    let (size, count) = (rows.shape[1], Double(components))
    let variance = square(rows - rows.mean(axis: 0)).mean(axis: 0)
    let scale = pow(Tensor(count, dtype: .float64), -2 / Double(size)).item
    // A constant column keeps a variance above 0.
    floor = (select(where: variance .> 0, variance, 1) * scale).diagonalMatrix()
    (self.rows, self.shrinkage) = (rows, shrinkage)
    maximize(nearest(to: clusters(components, key)))
    var last = -Double.infinity
    for _ in 0..<100 {
      guard let (responsibilities, likelihood) = expectation() else { break }
      if likelihood - last < 1e-5 { break }
      last = likelihood
      maximize(responsibilities)
    }
  }

  /// The means of the tightest of four clusterings by Lloyd's algorithm.
  private func clusters(_ count: Int, _ key: Key) -> [Tensor] {
    var best: (means: [Tensor], spread: Double)?
    for attempt in 0..<(count > 1 ? 4 : 1) {
      var means = seeds(count, key.folded(in: attempt))
      var spread = Double.infinity
      for _ in 0..<50 {
        let near = nearest(to: means)
        let totals = near.sum(axis: 0)
        let moved = matmul(near, rows, transposeA: true) / maximum(totals, 1).expanded(axis: 1)
        means = totals.doubles.enumerated().map { $1 > 0 ? moved[$0] : means[$0] }
        let now = square(rows - matmul(near, stack(means, axis: 0))).sum().item
        if now > spread * (1 - 1e-4) { break }
        spread = now
      }
      if best.map({ spread < $0.spread }) ?? true { best = (means, spread) }
    }
    return best?.means ?? []
  }

  /// Draws rows far from each other.
  private func seeds(_ count: Int, _ key: Key) -> [Tensor] {
    var seeds = [rows[key.folded(in: 0).integers([1], in: 0..<rows.rows).ints[0]]]
    var distance = square(rows - seeds[0]).sumPerRow()
    while seeds.count < count {
      let next = key.folded(in: seeds.count).categorical(logits: log(distance)).ints[0]
      seeds.append(rows[next])
      distance = minimum(distance, square(rows - rows[next]).sumPerRow())
    }
    return seeds
  }

  /// The responsibilities 1 of the nearest mean of each row, [n, K].
  private func nearest(to means: [Tensor]) -> Tensor {
    let distances = stack(means.map { square(rows - $0).sumPerRow() }, axis: 1)
    let isNearest = (distances .== distances.min(axis: 1, keepDims: true)).cast(to: .float64)
    return isNearest / isNearest.sum(axis: 1, keepDims: true)
  }

  /// The responsibilities [n, K] and the mean log-likelihood; nil if a covariance is singular.
  private func expectation() -> (Tensor, Double)? {
    var terms: [Tensor] = []
    let size = rows.shape[1]
    for (i, mean) in means.enumerated() {
      guard let factor = choleskyFactor(covariances[i]) else { return nil }
      let lower = Tensor(factor, shape: [size, size], dtype: .float64)
      let z = triangularSolve(lower, (rows - mean).transposed(), lower: true)
      terms.append(
        log(Tensor(weights[i], dtype: .float64)) - 0.5 * square(z).sum(axis: 0)
          - log(lower.diagonal()).sum() - 0.5 * Double(size) * 1.8378770664093454836)  // log 2π
    }
    let joint = stack(terms, axis: 1)
    return (joint.softmax(axis: 1), joint.logSumExp(axis: 1).mean().item)
  }

  /// Means, covariances and weights for responsibilities.
  private mutating func maximize(_ responsibilities: Tensor) {
    let totals = responsibilities.sum(axis: 0).doubles
    (means, covariances, weights) = ([], [], [])
    for k in totals.indices {
      let share = responsibilities.sliced(axis: 1, k..<k + 1)
      // A component without rows becomes the overall distribution.
      let isEmpty = totals[k] < 1e-3
      let total = isEmpty ? Double(rows.rows) : totals[k]
      let r = isEmpty ? Tensor.ones([rows.rows, 1], dtype: .float64) : share
      let mean = (r * rows).sum(axis: 0) / total
      let centered = rows - mean
      let scatter = matmul(centered, r * centered, transposeA: true)
      let symmetric = 0.5 * (scatter + scatter.transposed())
      means.append(mean)
      covariances.append((symmetric + shrinkage * floor) / (total + shrinkage))
      weights.append(Swift.max(totals[k], 1e-3))
    }
    let sum = weights.reduce(0, +)
    weights = weights.map { $0 / sum }
  }
}
