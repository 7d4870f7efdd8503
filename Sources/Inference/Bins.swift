import Tensors

/// The bins of a histogram: intervals that follow each other. A value on an edge belongs to the upper bin,
/// and the last edge to the last bin.
public struct Bins: Sendable, Hashable {
  /// The edges in rising order, one more than there are bins.
  public let edges: [Double]

  /// Bins between edges.
  ///
  /// - Precondition: two edges or more, finite and rising.
  public init(edges: [Double]) {
    require(
      edges.count > 1 && edges.allSatisfy(\.isFinite) && zip(edges, edges.dropFirst()).allSatisfy { $0 < $1 },
      "bins need two or more edges that rise, got \(edges)")
    self.edges = edges
  }

  /// Bins of equal width.
  ///
  /// - Precondition: a positive count, and a range of a positive width.
  public init(_ count: Int, over range: ClosedRange<Double>) {
    require(count > 0, "bins are at least one, got \(count)")
    let width = (range.upperBound - range.lowerBound) / Double(count)
    self.init(edges: (0..<count).map { range.lowerBound + Double($0) * width } + [range.upperBound])
  }

  /// Bins of width 1 around whole numbers, for counts.
  public init(whole numbers: ClosedRange<Int>) {
    self.init(edges: (numbers.lowerBound...numbers.upperBound + 1).map { Double($0) - 0.5 })
  }

  /// The number of bins.
  public var count: Int { edges.count - 1 }

  /// The bin of a value; `count` for a value outside all bins.
  public func index(of value: Double) -> Int {
    guard value >= edges[0], value <= edges[count] else { return count }
    var (low, high) = (0, count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if value < edges[middle] { high = middle } else { low = middle }
    }
    return low
  }

  /// The share of weighted values in each bin, and as the last number that outside all bins.
  ///
  /// - Precondition: as many weights as values, with a positive sum.
  public func shares(of values: [Double], weights: [Double]? = nil) -> [Double] {
    require(
      weights?.count ?? values.count == values.count,
      "a histogram needs a weight per value, got \(weights?.count ?? 0) for \(values.count)")
    var sums = [Double](repeating: 0, count: count + 1)
    for (i, value) in values.enumerated() { sums[index(of: value)] += weights?[i] ?? 1 }
    let total = sums.reduce(0, +)
    require(total > 0, "a histogram needs weights of a positive sum, got \(total)")
    return sums.map { $0 / total }
  }
}
