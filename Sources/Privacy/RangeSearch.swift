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
/// noised count exceeds a threshold. An empty bin does so with a probability of at most 10⁻³ per step. A side
/// of the span is cut off only if its rows, by their noised count and two deviations, are at most 5 % of the
/// others. At the end the range is widened by half on both sides. A range ends at 0 if no rows are seen
/// beyond it.
///
/// With too few rows for that the search ends with an error: about 40 σ √columns are needed.
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

  /// A column of numbers, one per row. Numbers that are NaN or infinite are in no bin.
  public struct Column: Sendable {
    let name: String
    let values: [Double]
    let isLogarithmic: Bool

    /// Makes a column.
    ///
    /// - Parameters:
    ///   - name: the name in errors.
    ///   - values: the numbers.
    ///   - isLogarithmic: whether the range of the logarithms is found. Numbers that are not positive are in
    ///     no bin then, and the range is positive.
    public init(_ name: String, _ values: [Double], isLogarithmic: Bool = false) {
      (self.name, self.isLogarithmic) = (name, isLogarithmic)
      self.values = isLogarithmic ? values.map { $0 > 0 ? log($0) : .nan } : values
    }
  }

  /// The ranges of columns, finite and of some width.
  ///
  /// - Parameters:
  ///   - columns: the columns.
  ///   - noise: the source of noise.
  /// - Throws: `PrivacyError.unreachable` for a column with too few rows for the noise.
  /// - Complexity: O(rows · columns).
  public func callAsFunction(
    _ columns: [Column], noise: NoiseSource
  ) throws(PrivacyError) -> [ClosedRange<Double>] {
    let deviation = noiseMultiplier * Double(columns.count).squareRoot()
    var spans: [ClosedRange<Double>] = []
    for (column, found) in zip(columns, found(columns, { _ in PowerBins() }, noise, deviation)) {
      guard let (first, last) = found.ends, found.sum(first...last) >= 40 * deviation else {
        throw .unreachable(
          who: "RangeSearch",
          message: "too few rows to find the range of \(column.name) in noise of "
            + "\((noiseMultiplier * 100).rounded() / 100); declare its bounds, or spend a larger epsilon")
      }
      spans.append(PowerBins().span(first, last))
    }
    let signs = spans
    for step in 1..<Self.steps {
      let all = found(columns, { EqualBins(span: spans[$0]) }, noise, deviation)
      for (i, found) in all.enumerated() {
        let bins = EqualBins(span: spans[i])
        let (first, last) = found.certainEnds(deviation)
        let own = bins.span(first, last)
        let width = own.upperBound - own.lowerBound
        let margin = step < Self.steps - 1 ? width / Double(last - first + 1) : width / 2
        // Rows of one sign stay of that sign.
        let (low, high) = (own.lowerBound - margin, own.upperBound + margin)
        spans[i] =
          (signs[i].lowerBound < 0 ? low : max(low, 0))...(signs[i].upperBound > 0 ? high : min(high, 0))
      }
    }
    return zip(columns, spans).map { column, span in
      guard column.isLogarithmic else { return span }
      let (low, high) = (exp(max(span.lowerBound, -600)), exp(min(span.upperBound, 600)))
      return low < high ? low...high : 0.5 * low...2 * low
    }
  }

  /// The noised counts of a column's bins, and the bins whose counts exceed the threshold.
  private struct Found {
    let counts: [Double]
    let occupied: [Int]

    var ends: (first: Int, last: Int)? {
      guard let first = occupied.first, let last = occupied.last else { return nil }
      return (first, last)
    }

    func sum(_ range: some Sequence<Int>) -> Double { range.reduce(0) { $0 + counts[$1] } }

    /// The ends of the bins that hold all rows but a few.
    func certainEnds(_ deviation: Double) -> (first: Int, last: Int) {
      guard var (first, last) = ends else { return (0, counts.count - 1) }
      let inside = sum(first...last)
      func isFew(_ range: Range<Int>) -> Bool {
        sum(range) + 2 * deviation * Double(range.count).squareRoot() <= 0.05 * inside
      }
      let (below, above) = (0..<first, last + 1..<counts.count)
      if !below.isEmpty, !isFew(below) { first = 0 }
      if !above.isEmpty, !isFew(above) { last = counts.count - 1 }
      return (first, last)
    }
  }

  private func found(
    _ columns: [Column], _ bins: (Int) -> some RangeBins, _ noise: NoiseSource, _ deviation: Double
  ) -> [Found] {
    let all = columns.indices.map { Self.counts(columns[$0].values, in: bins($0)) }
    let threshold = deviation * (2 * log(1e3 * Double(all.reduce(0) { $0 + $1.count }))).squareRoot()
    return all.map { counts in
      let draws = noise.gaussians(counts.count, deviation: deviation)
      let noised = zip(counts, draws).map { $0 + $1 }
      return Found(counts: noised, occupied: noised.indices.filter { noised[$0] > threshold })
    }
  }

  /// The number of rows in each bin.
  static func counts(_ values: [Double], in bins: some RangeBins) -> [Double] {
    var counts = [Double](repeating: 0, count: bins.count)
    for value in values where value.isFinite { counts[bins.index(value)] += 1 }
    return counts
  }
}
