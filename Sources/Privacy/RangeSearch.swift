#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A private search for the ranges of columns: bounds that are bought from the rows.
///
/// Each step counts rows in bins and adds Gaussian noise. A row is in one bin of each column, so one row more
/// or less changes all counts by a vector of norm √columns. The first step has a bin for each power of two
/// and sign. Two more steps divide the span of the bins that are not empty. A bin counts as such if its
/// noised count exceeds a threshold. An empty bin does so with a probability of at most 10⁻³ per step. At
/// the end the range is widened by half on both sides, because few rows in the tails are not seen. A range
/// ends at 0 if no rows are seen beyond it.
///
/// Logarithmic bins are those of Wilson and others 2020, arXiv 1909.01917.
public struct RangeSearch: Sendable, Hashable {
  /// The noise of a step, as a multiple of the norm of a row's share.
  public let noiseMultiplier: Double

  /// The number of steps, all without subsampling.
  public static let steps = 3

  /// A search with given noise.
  ///
  /// - Throws: `PrivacyError.outOfRange` for noise below 0.05 or above 10⁶.
  public init(noiseMultiplier: Double) throws(PrivacyError) {
    _ = try SubsampledGaussian(rate: 1, noiseMultiplier: noiseMultiplier)
    self.noiseMultiplier = noiseMultiplier
  }

  /// A search with the least noise that keeps an ε.
  ///
  /// - Throws: the errors of `noiseMultiplier(epsilon:delta:rate:steps:besides:)`.
  public init(
    epsilon: Double, delta: Double, by accountant: some PrivacyAccountant = PLDAccountant()
  ) throws(PrivacyError) {
    let noise = try accountant.noiseMultiplier(epsilon: epsilon, delta: delta, rate: 1, steps: Self.steps)
    try self.init(noiseMultiplier: noise)
  }

  /// The charge, for `besides` in the plan of a fit to the same rows.
  public var ledger: PrivacyLedger {
    get throws(PrivacyError) {
      try PrivacyLedger(
        SubsampledGaussian(rate: 1, noiseMultiplier: noiseMultiplier), steps: Self.steps)
    }
  }

  /// The ranges of columns.
  ///
  /// - Parameters:
  ///   - columns: the name and the numbers of each column, one number per row. Numbers that are NaN or
  ///     infinite are in no bin.
  ///   - noise: the source of noise.
  /// - Throws: `PrivacyError.unreachable` for a column with too few rows for the noise.
  /// - Complexity: O(rows · columns).
  public func callAsFunction(
    _ columns: [(name: String, values: [Double])], noise: NoiseSource
  ) throws(PrivacyError) -> [ClosedRange<Double>] {
    var spans: [ClosedRange<Double>] = []
    for (column, isFull) in zip(columns, occupied(columns, { _ in PowerBins() }, noise)) {
      guard let first = isFull.first, let last = isFull.last else {
        throw .unreachable(
          who: "RangeSearch",
          message: "too few rows to find the range of \(column.name) in noise of "
            + "\((noiseMultiplier * 100).rounded() / 100); declare its bounds, or spend a larger epsilon")
      }
      spans.append(PowerBins().span(first, last))
    }
    let signs = spans
    for step in 1..<Self.steps {
      let found = occupied(columns, { EqualBins(span: spans[$0]) }, noise)
      for (i, isFull) in found.enumerated() {
        // Where no bin has enough rows, all may have some.
        let bins = EqualBins(span: spans[i])
        let (first, last) = (isFull.first ?? 0, isFull.last ?? bins.count - 1)
        let own = bins.span(first, last)
        let width = own.upperBound - own.lowerBound
        let margin = step < Self.steps - 1 ? width / Double(last - first + 1) : width / 2
        // Rows of one sign stay of that sign.
        let (low, high) = (own.lowerBound - margin, own.upperBound + margin)
        spans[i] =
          (signs[i].lowerBound < 0 ? low : max(low, 0))...(signs[i].upperBound > 0 ? high : min(high, 0))
      }
    }
    return spans
  }

  /// The bins of each column whose noised counts exceed the threshold.
  private func occupied(
    _ columns: [(name: String, values: [Double])], _ bins: (Int) -> some RangeBins, _ noise: NoiseSource
  ) -> [[Int]] {
    let all = columns.indices.map { Self.counts(columns[$0].values, in: bins($0)) }
    let deviation = noiseMultiplier * Double(columns.count).squareRoot()
    let threshold = deviation * (2 * log(1e3 * Double(all.reduce(0) { $0 + $1.count }))).squareRoot()
    return all.map { counts in
      let draws = noise.gaussians(counts.count, deviation: deviation)
      return counts.indices.filter { counts[$0] + draws[$0] > threshold }
    }
  }

  /// The number of rows in each bin.
  static func counts(_ values: [Double], in bins: some RangeBins) -> [Double] {
    var counts = [Double](repeating: 0, count: bins.count)
    for value in values where value.isFinite { counts[bins.index(value)] += 1 }
    return counts
  }
}
