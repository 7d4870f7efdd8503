import Tensors

extension ObservedData {
  /// A loss between histograms.
  public enum BinnedLoss: Sendable, Hashable {
    /// χ² per degree of freedom: Σ (h − d)² / (V + σ²) over the bins that count, divided by their number
    /// minus 1.
    ///
    /// V is the variance Σ w̄² of the weighted histories in a bin, a constant for the gradient. Otherwise a
    /// fit could lower the loss by making weights unequal.
    case chiSquared
    /// Σ d log(d / h), the cross-entropy minus its least value. It needs no variances and gives rare bins
    /// their due. Values outside all bins form a bin of their own.
    case crossEntropy
  }

  /// A sample of one observable, compared by bins.
  ///
  /// Shares are of all values, also of those outside the bins. The variance of a share d of n values is d /
  /// n.
  ///
  /// - Parameters:
  ///   - data: the measured values, `[rows]`.
  ///   - bins: the bins.
  ///   - loss: the loss.
  ///   - observable: the column of the histories' observables.
  ///   - minimumEntries: the number of measured entries from which on a bin counts in χ².
  ///   - factor: the factor of the loss.
  ///   - name: the name in reports.
  public static func histogram(
    _ data: Tensor, bins: Bins, by loss: BinnedLoss = .chiSquared, observable: Int = 0,
    minimumEntries: Double = 20, factor: Double = 1, name: String = "histogram"
  ) -> ObservedData {
    ObservedData(name, factor: factor) { (observables) throws(FlowError) in
      let values = try matrix(data, columns: 1, name).doubles
      let shares = bins.shares(of: values)
      let count = Double(values.count)
      return try BinnedData(
        shares: shares, variances: shares.map { $0 / count }, counts: shares.map { $0 * count }, bins, name
      ).prepared(column(observable, of: observables, name), loss, minimumEntries: minimumEntries)
    }
  }

  /// A published histogram of one observable.
  ///
  /// - Parameters:
  ///   - counts: the entries of each bin, not negative.
  ///   - total: all entries, with those outside the bins; nil where none are outside.
  public static func histogram(
    counts: [Double], total: Double? = nil, bins: Bins, by loss: BinnedLoss = .chiSquared,
    observable: Int = 0, minimumEntries: Double = 20, factor: Double = 1, name: String = "histogram"
  ) -> ObservedData {
    ObservedData(name, factor: factor) { (observables) throws(FlowError) in
      let inside = counts.reduce(0, +)
      let total = total ?? inside
      guard counts.count == bins.count, counts.allSatisfy({ $0 >= 0 }), inside > 0, total.isFinite,
        total >= inside
      else {
        throw .mismatch(
          who: name, what: "counts", expected: "\(bins.count) that are not negative, at most \(total) in all",
          got: "\(counts)")
      }
      let counts = counts + [total - inside]
      return try BinnedData(
        shares: counts.map { $0 / total }, variances: counts.map { $0 / total / total }, counts: counts, bins,
        name
      ).prepared(column(observable, of: observables, name), loss, minimumEntries: minimumEntries)
    }
  }
}

/// A measured histogram. The last of its numbers are those outside all bins.
private struct BinnedData: Sendable {
  let shares, variances, counts: [Double]
  let bins: Bins
  let name: String

  init(shares: [Double], variances: [Double], counts: [Double], _ bins: Bins, _ name: String) {
    (self.shares, self.variances, self.counts) = (shares, variances, counts)
    (self.bins, self.name) = (bins, name)
  }

  func prepared(
    _ values: [Double], _ loss: ObservedData.BinnedLoss, minimumEntries: Double
  ) throws(FlowError) -> PreparedData {
    let sums = BinSums(bins, of: values)
    let isReached = sums.counts.map { $0 > 0 }
    let outside = shares.indices.reduce(0) { $0 + (isReached[$1] ? 0 : shares[$1]) }
    let counted = (0..<bins.count).filter { counts[$0] >= minimumEntries && counts[$0] > 0 }
    guard counted.count > 1 else {
      throw .mismatch(
        who: name, what: "two bins or more",
        expected: "of at least \(minimumEntries) measured entries; take "
          + "wider bins or a lower minimumEntries", got: "\(counted.count)")
    }
    let terms = ChiSquared(sums, shares, variances, counted)
    let function: @Sendable (Tensor) -> Tensor
    switch loss {
    case .chiSquared: function = { terms($0) / Double(counted.count - 1) }
    case .crossEntropy:
      let kept = shares.indices.filter { shares[$0] > 0 && isReached[$0] }
      let own = Tensor(kept.map { shares[$0] / max(1 - outside, 1e-300) }, dtype: .float64)
      let entropy = (own * log(own)).sum()
      function = { entropy - (own * log(sums($0).rows(kept))).sum() }
    }
    return PreparedData(
      loss: function, chiSquared: { (terms($0).item, counted.count - 1) }, unreachable: outside)
  }
}

/// χ² between a weighted histogram and a measured one.
private struct ChiSquared: Sendable {
  let sums: BinSums
  let counted: [Int]
  let shares, variances: Tensor

  init(_ sums: BinSums, _ shares: [Double], _ variances: [Double], _ counted: [Int]) {
    (self.sums, self.counted) = (sums, counted)
    self.shares = Tensor(counted.map { shares[$0] }, dtype: .float64)
    self.variances = Tensor(counted.map { variances[$0] }, dtype: .float64)
  }

  func callAsFunction(_ weights: Tensor) -> Tensor {
    let own = sums(square(weights.detached)).rows(counted)
    return (square(sums(weights).rows(counted) - shares) / (own + variances)).sum()
  }
}

/// Sums over the bins that values lie in; the last one over the values outside.
///
/// They are differences of a running sum in the order of the bins. Cost: O(values).
private struct BinSums: Sendable {
  let counts: [Int]
  private let order: Tensor
  private let ends: Tensor

  init(_ bins: Bins, of values: [Double]) {
    let indices = values.map(bins.index)
    var counts = [Int](repeating: 0, count: bins.count + 1)
    for index in indices { counts[index] += 1 }
    var next = counts.indices.map { counts[..<$0].reduce(0, +) }
    ends = Tensor(ints: next + [values.count])
    var order = [Int](repeating: 0, count: values.count)
    for (i, index) in indices.enumerated() {
      order[next[index]] = i
      next[index] += 1
    }
    (self.counts, self.order) = (counts, Tensor(ints: order))
  }

  func callAsFunction(_ weights: Tensor) -> Tensor {
    let sums = runningSum(weights, order).gathered(ends, axis: 0)
    return sums[1..<sums.rows] - sums[0..<sums.rows - 1]
  }
}

/// The sums 0, w₀, w₀ + w₁, ... of weights in an order.
func runningSum(_ weights: Tensor, _ order: Tensor) -> Tensor {
  let sums = weights.gathered(order, axis: 0).cumulativeSum(axis: 0)
  return concatenate(.zeros([1], dtype: weights.dtype), sums, axis: 0)
}
