import Tensors

/// The tail of importance weights: its largest weights, and the generalized Pareto distribution fitted to
/// them.
///
/// Of n weights it takes the ⌊3 √n⌋ largest, ⌊n / 5⌋ where n is at most 225. Vehtari, Simpson, Gelman, Yao &
/// Gabry, *Pareto smoothed importance sampling*, arXiv 1507.02646, appendix C. Equal to ArviZ's.
struct ParetoTail {
  /// The shape k̂: +∞ where the tail says nothing, −∞ where all weights are equal.
  let shape: Double
  /// The scale, and the logarithms of the threshold and of the largest weight; nil where no distribution was
  /// fitted.
  private let fit: (scale: Double, threshold: Double, largest: Double)?
  private let count: Int

  init(ofLogWeights logWeights: [Double]) {
    let sorted = logWeights.sorted()
    let (total, largest) = (sorted.count, sorted[sorted.count - 1])
    let count = total > 225 ? Int(3 * Double(total).squareRoot()) : total / 5
    self.count = count
    guard sorted[0] < largest, count > 4 else {
      (shape, fit) = (sorted[0] == largest && largest > -.infinity ? -.infinity : .infinity, nil)
      return
    }
    let weights = exp(Tensor(sorted[(total - count - 1)...].map { $0 - largest }, dtype: .float64))
    let excesses = (weights[1..<count + 1] - weights[0..<1]).doubles
    // Too many equal weights at the tail's beginning tell as little as too few.
    guard excesses[max(Int(Double(count) / 4 + 0.5) - 1, 0)] > 0 else {
      (shape, fit) = (.infinity, nil)
      return
    }
    let (shape, scale) = generalizedPareto(fittedTo: excesses)
    (self.shape, fit) = (shape, shape.isFinite ? (scale, sorted[total - count - 1], largest) : nil)
  }

  /// The logarithms of the weights. Quantiles of the fitted distribution replace those of the tail.
  ///
  /// They keep their order, and are at most the largest weight. Where no distribution was fitted, nothing is
  /// replaced.
  func smoothed(_ logWeights: [Double]) -> [Double] {
    guard let (scale, threshold, largest) = fit else { return logWeights }
    let probabilities = Tensor((0..<count).map { (Double($0) + 0.5) / Double(count) }, dtype: .float64)
    let survival = log1p(-probabilities)
    let excesses: Tensor =
      shape == 0 ? -scale * survival : scale * expm1(-shape * survival) / shape
    let quantiles = log(excesses + exp(Tensor(threshold - largest, dtype: .float64))).doubles
    let order = logWeights.indices.sorted { (logWeights[$0], $0) < (logWeights[$1], $1) }
    var result = logWeights
    for (index, quantile) in zip(order.suffix(count), quantiles) {
      result[index] = min(quantile + largest, largest)
    }
    return result
  }
}

/// The shape k and the scale σ of a generalized Pareto distribution fitted to rising exceedances.
///
/// k = mean log(1 − b x) as a function of b, averaged over a grid of b by its profile likelihood, then drawn
/// towards 0.5 as by ten more observations. Zhang & Stephens 2009, *A new and efficient estimation method for
/// the generalized Pareto distribution*, Technometrics 51.
private func generalizedPareto(fittedTo x: [Double]) -> (shape: Double, scale: Double) {
  let count = Double(x.count)
  let size = 30 + Int(count.squareRoot())
  let quartile = x[Int(count / 4 + 0.5) - 1]
  let grid = (1...size).map { i -> Double in
    let root = (Double(size) / (Double(i) - 0.5)).squareRoot()
    return (1 - root) / (3 * quartile) + 1 / x[x.count - 1]
  }
  let values = Tensor(x, dtype: .float64)
  func shape(_ b: Tensor) -> Tensor { log1p(-(b.expanded(axis: 1) * values)).mean(axis: 1) }

  let b = Tensor(grid, dtype: .float64)
  let k = shape(b)
  let logLikelihood: Tensor = count * (log(-(b / k)) - k - 1)
  let shares = logLikelihood.softmax(axis: 0)
  // Shares that are rounding errors are left out, as ArviZ does.
  let kept = select(where: shares .>= 10 * 2.220446049250313e-16, shares, 0)
  let mean = (b * kept).sum() / kept.sum()
  let fitted = shape(mean.reshaped(to: [1])).item
  return ((count * fitted + 10 * 0.5) / (count + 10), -fitted / mean.item)
}
