import Randomness
import Tensors

extension ObservedData {
  /// A distance between the weighted observables and a sample, without bins.
  public enum Distance: Sendable, Hashable {
    /// The 1-Wasserstein distance ∫ |F − G| dx of the distribution functions.
    ///
    /// The order of the values does not depend on the weights, so the gradient is exact.
    case wasserstein
    /// The energy distance 2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, which is 2 ∫ (F − G)² dx for one observable.
    ///
    /// Székely & Rizzo 2013, *Energy statistics*, doi 10.1016/j.jspi.2013.03.018.
    case energy
  }

  /// A sample of one observable or several, compared without bins.
  ///
  /// Several observables are divided by the data's standard deviations and projected on random directions.
  /// The Wasserstein distance is then the mean over the directions, the sliced one. The energy distance is
  /// that in all dimensions, estimated without bias: the mean of |u · e| over unit vectors e is a known
  /// multiple of ‖u‖. Cost of a step: directions · (histories + rows).
  ///
  /// - Parameters:
  ///   - data: the measured values, `[rows, observables]`, or `[rows]` for a single one.
  ///   - distance: the distance.
  ///   - observables: the columns of the histories' observables.
  ///   - directions: the number of directions for several observables, the same in all steps.
  ///   - key: the key of the directions.
  ///   - factor: the factor of the loss.
  ///   - name: the name in reports.
  /// - Precondition: an observable at least, and a direction.
  public static func samples(
    _ data: Tensor, distance: Distance = .wasserstein, observables columns: [Int] = [0],
    directions: Int = 64, key: Key = Key(0), factor: Double = 1, name: String = "samples"
  ) -> ObservedData {
    require(
      !columns.isEmpty && directions > 0,
      "samples are compared in an observable and a direction at least, got \(columns) and \(directions)")
    return ObservedData(name, factor: factor) { (observables, weights) throws(FlowError) in
      let data = try matrix(data, columns: columns.count, name)
      var own: [[Double]] = []
      for index in columns { own.append(try column(index, of: observables, name)) }
      let simulated = stack(own.map { Tensor($0, dtype: .float64) }, axis: 1)
      let axes = directed(columns.count, directions, key)
      let scale = columns.count == 1 ? .ones([1], dtype: .float64) : deviation(of: data)
      let lines = zip(projected(simulated / scale, axes), projected(data / scale, axes)).map(
        LineDistance.init)
      let factor = distance == .energy ? 1 / meanProjection(columns.count) : 1
      return PreparedData(
        loss: { shares in
          let sum = lines.dropFirst().reduce(lines[0](shares, distance)) { $0 + $1(shares, distance) }
          return sum * (factor / Double(lines.count))
        },
        unreachable: unreachable(
          data,
          weights.map { own in
            simulated.rows(own.indices.filter { own[$0] > 0 })
          } ?? simulated))
    }
  }

  /// Unit vectors, one per row; of one dimension the only one.
  private static func directed(_ size: Int, _ count: Int, _ key: Key) -> Tensor {
    if size == 1 { return .ones([1, 1], dtype: .float64) }
    let vectors = key.normal([count, size], dtype: .float64)
    return vectors / sqrt(square(vectors).sum(axis: 1, keepDims: true))
  }

  private static func projected(_ rows: Tensor, _ axes: Tensor) -> [[Double]] {
    (0..<axes.rows).map { matmul(rows, axes[$0..<$0 + 1], transposeB: true).doubles }
  }

  private static func deviation(of data: Tensor) -> Tensor {
    let deviation = sqrt(square(data - data.mean(axis: 0)).mean(axis: 0))
    return select(where: deviation .> 0, deviation, 1)
  }

  /// The mean of |e · u| over unit vectors e for a unit vector u: Γ(n/2) / (√π Γ((n+1)/2)).
  static func meanProjection(_ dimension: Int) -> Double {
    var (mean, n) = dimension % 2 == 1 ? (1.0, 1) : (2 / Double.pi, 2)
    while n < dimension {
      mean *= Double(n) / Double(n + 1)
      n += 2
    }
    return mean
  }

  /// The share of the data outside the range of the simulated values, in the observable where it is largest.
  private static func unreachable(_ data: Tensor, _ simulated: Tensor) -> Double {
    let (low, high) = (simulated.min(axis: 0), simulated.max(axis: 0))
    let isOutside = (data .< low) + (data .> high)
    return isOutside.mean(axis: 0).doubles.max() ?? 0
  }
}

/// The distance between weighted values and others on a line.
///
/// Between neighbours of all values both distribution functions are constant. Gaps of width 0 are left out.
private struct LineDistance: Sendable {
  private let order, below, widths, measured: Tensor

  init(_ values: [Double], _ others: [Double]) {
    let rank = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    let (sorted, data) = (rank.map { values[$0] }, others.sorted())
    var (i, j) = (0, 0)
    var (below, widths, measured): ([Int], [Double], [Double]) = ([], [], [])
    while i < sorted.count || j < data.count {
      let here = min(i < sorted.count ? sorted[i] : .infinity, j < data.count ? data[j] : .infinity)
      while i < sorted.count, sorted[i] == here { i += 1 }
      while j < data.count, data[j] == here { j += 1 }
      let next = min(i < sorted.count ? sorted[i] : .infinity, j < data.count ? data[j] : .infinity)
      guard next < .infinity else { break }
      below.append(i)
      widths.append(next - here)
      measured.append(Double(j) / Double(data.count))
    }
    (order, self.below) = (Tensor(ints: rank), Tensor(ints: below))
    (self.widths, self.measured) = (Tensor(widths, dtype: .float64), Tensor(measured, dtype: .float64))
  }

  func callAsFunction(_ shares: Tensor, _ distance: ObservedData.Distance) -> Tensor {
    let difference = runningSum(shares, order).gathered(below, axis: 0) - measured
    switch distance {
    case .wasserstein: return (widths * abs(difference)).sum()
    case .energy: return 2 * (widths * square(difference)).sum()
    }
  }
}
