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
    ObservedData(name, factor: factor) { (observables, weights) throws(FlowError) in
      let values = try matrix(data, columns: 1, name).doubles
      let shares = bins.shares(of: values)
      let count = Double(values.count)
      return try BinnedData(
        shares: shares, variances: shares.map { $0 / count }, counts: shares.map { ($0 * count).rounded() },
        bins, name
      ).prepared(column(observable, of: observables, name), weights, loss, minimumEntries: minimumEntries)
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
    ObservedData(name, factor: factor) { (observables, weights) throws(FlowError) in
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
      ).prepared(column(observable, of: observables, name), weights, loss, minimumEntries: minimumEntries)
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
    _ values: [Double], _ weights: [Double]?, _ loss: ObservedData.BinnedLoss, minimumEntries: Double
  ) throws(FlowError) -> PreparedData {
    let sums = BinSums(bins, of: values)
    var isReached = [Bool](repeating: false, count: shares.count)
    for (i, value) in values.enumerated() where weights?[i] ?? 1 > 0 {
      isReached[bins.index(of: value)] = true
    }
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
/// Each level adds the members of a bin in groups of 32, until one number per bin is left. Only numbers of
/// one bin are added, so a small sum is not lost next to a large one. Cost: O(values + bins).
private struct BinSums: Sendable {
  private let levels: [Tensor]
  private static let group = 32

  init(_ bins: Bins, of values: [Double]) {
    var members = [[Int]](repeating: [], count: bins.count + 1)
    for (i, value) in values.enumerated() { members[bins.index(of: value)].append(i) }
    var (levels, size) = ([Tensor](), values.count)
    repeat {
      var (flat, rows) = ([Int](), 0)
      for bin in members.indices {
        let own = members[bin]
        members[bin] = []
        for first in stride(from: 0, to: max(own.count, 1), by: BinSums.group) {
          let part = own[first..<min(first + BinSums.group, own.count)]
          // The number after the last one is 0.
          flat += part + [Int](repeating: size, count: BinSums.group - part.count)
          members[bin].append(rows)
          rows += 1
        }
      }
      levels.append(Tensor(ints: flat))
      size = rows
    } while size > members.count
    self.levels = levels
  }

  func callAsFunction(_ weights: Tensor) -> Tensor {
    levels.reduce(weights) { sums, level in
      concatenate(sums, .zeros([1], dtype: sums.dtype), axis: 0).gathered(level, axis: 0)
        .reshaped(to: [level.count / BinSums.group, BinSums.group]).sum(axis: 1)
    }
  }
}

/// The sums 0, w₀, w₀ + w₁, ... of weights in an order.
func runningSum(_ weights: Tensor, _ order: Tensor) -> Tensor {
  let sums = weights.gathered(order, axis: 0).cumulativeSum(axis: 0)
  return concatenate(.zeros([1], dtype: weights.dtype), sums, axis: 0)
}
