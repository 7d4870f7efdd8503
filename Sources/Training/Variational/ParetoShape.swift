import Tensors

/// k̂ of the largest of n weights: ⌊3 √n⌋ of them, ⌊n / 5⌋ where n is at most 225. Vehtari et al., arXiv 1507.02646, appendix C.
func paretoShape(ofLogWeights logWeights: [Double]) -> Double {
  let count = logWeights.count
  let sorted = logWeights.sorted()
  let largest = sorted[count - 1]
  if sorted[0] == largest { return -.infinity }
  let tail = count > 225 ? Int(3 * Double(count).squareRoot()) : count / 5
  guard tail > 4 else { return .infinity }
  let weights = exp(Tensor(sorted[(count - tail - 1)...].map { $0 - largest }, dtype: .float64))
  let excesses = (weights[1..<tail + 1] - weights[0..<1]).doubles
  // Too many equal weights at the tail's beginning tell as little as too few.
  return excesses[max(Int(Double(tail) / 4 + 0.5) - 1, 0)] > 0
    ? generalizedParetoShape(of: excesses) : .infinity
}

/// The shape k of a generalized Pareto distribution fitted to rising exceedances: k = mean log(1 − b x) as a function of b, averaged
/// over a grid of b by its profile likelihood, then drawn towards 0.5 as by ten more observations.
///
/// Zhang & Stephens 2009, *A new and efficient estimation method for the generalized Pareto distribution*, Technometrics 51.
private func generalizedParetoShape(of x: [Double]) -> Double {
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
  let weights = logLikelihood.softmax(axis: 0)
  // Weights that are rounding errors are left out, as ArviZ does.
  let kept = select(where: weights .>= 10 * 2.220446049250313e-16, weights, 0)
  let mean = (b * kept).sum() / kept.sum()
  let fitted = shape(mean.reshaped(to: [1])).item
  return (count * fitted + 10 * 0.5) / (count + 10)
}
