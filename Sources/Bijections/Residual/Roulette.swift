import Networks
import Randomness
import Tensors

/// An unbiased estimate of log-dets log|det(I + J)| by a random number of terms of the power series.
///
/// log|det(I + J)| = Σₖ (−1)ᵏ⁺¹ tr(Jᵏ) / k. A row takes n₀ + N terms with P(N ≥ j) = (1 − p)ʲ⁻¹. Term k has
/// the weight cₖ = 1 for k ≤ n₀, and then 1 / P(N ≥ k − n₀). Each trace is estimated by εᵀ Jᵏ ε with signs ε.
///
/// The gradient is that of wᵀ J ε with w = Σₖ (−1)ᵏ cₖ₊₁ (Jᵀ)ᵏ ε held constant, since the log-det's is
/// tr((I + J)⁻¹ dJ). So memory does not grow with the number of terms. wᵀ J ε itself is no estimate of the
/// log-det.
///
/// The variance is finite if L² < 1 − p, for the Lipschitz constant L of g. Otherwise the mean of many rows
/// converges slowly, and its standard error says too little.
///
/// Chen, Behrmann, Duvenaud & Jacobsen 2019, arXiv 1906.02735, eqs. 6 and 8.
package struct Roulette: Sendable {
  /// The number of terms n₀ that every row takes.
  let exactTerms: Int
  /// The probability p of the end after each further term.
  let probability: Double
  /// The largest dimension of layers whose log-det is computed exactly.
  let exactDimension: Int
  /// The key of the signs and the numbers of terms.
  var key: Key
  /// The number of the first row. Row i of a batch has the same draws in any shard.
  let firstRow: Int

  package init(exactTerms: Int, probability: Double, exactDimension: Int, key: Key, firstRow: Int) {
    (self.exactTerms, self.probability, self.exactDimension) = (exactTerms, probability, exactDimension)
    (self.key, self.firstRow) = (key, firstRow)
  }

  /// The values of g at x [rows, D], and the estimates of log|det(I + J)| with their gradients.
  func estimate(_ g: LipschitzFunction, at x: Tensor) -> (value: Tensor, logDet: Tensor) {
    let (rows, dtype) = (x.rows, x.dtype)
    let signs = key.folded(in: 0).bernoulli(x.shape, dtype: dtype, from: firstRow * x.shape[1])
    let epsilon = 2 * signs - 1
    let further = furtherTerms(rows)
    let terms = exactTerms + (further.max() ?? 1)
    func weight(_ k: Int) -> Tensor {
      let weights = further.map { n in
        k <= exactTerms ? 1 : n < k - exactTerms ? 0 : 1 / tail(k - exactTerms)
      }
      return Tensor(weights, shape: [rows, 1], dtype: dtype)
    }
    let constant = g.detached
    let slopes = constant.slopes(x.detached)
    var (power, series, neumann) = (epsilon, Tensor.zeros([rows], dtype: dtype), weight(1) * epsilon)
    for k in 1...terms {
      let sign = k % 2 == 1 ? 1.0 : -1
      power = constant.pulled(power, through: slopes)
      series = series + sign / Double(k) * (weight(k) * power * epsilon).sumPerRow()
      if k < terms { neumann = neumann - sign * weight(k + 1) * power }
    }
    let (value, along) = jvp(at: x, along: epsilon) { g($0) }
    let surrogate = (neumann * along).sumPerRow()
    return (value, series + (surrogate - surrogate.detached))
  }

  /// P(N ≥ j) = (1 − p)ʲ⁻¹.
  private func tail(_ j: Int) -> Double { (1..<j).reduce(1) { tail, _ in tail * (1 - probability) } }

  /// The numbers N, up to those whose probability a uniform number does not resolve.
  private func furtherTerms(_ rows: Int) -> [Int] {
    let most =
      probability < 1 ? max(1, Int(min(-37 / log1p(Tensor(-probability, dtype: .float64)).item, 1e6))) : 1
    return key.folded(in: 1).uniform([rows], dtype: .float64, from: firstRow).doubles.map { u in
      var (n, rest) = (1, 1 - probability)
      while u < rest && n < most { (n, rest) = (n + 1, rest * (1 - probability)) }
      return n
    }
  }
}
