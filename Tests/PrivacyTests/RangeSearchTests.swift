import Testing

@testable import Privacy

/// Ranges that are bought by noised histograms.
@Suite struct RangeSearchTests {
  /// Normal numbers of a known stream.
  private static func normals(_ count: Int, mean: Double, deviation: Double) -> [Double] {
    NoiseSource.notPrivate(seed: 11).gaussians(count, deviation: deviation).map { $0 + mean }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let values: [Double]
    /// The range holds this, and lies in that.
    let inner, outer: ClosedRange<Double>
    var testDescription: String { name }
  }

  static let rows: [Row] = [
    .init(
      name: "normal", values: normals(10_000, mean: 0, deviation: 1), inner: -2...2, outer: -9...9),
    .init(
      name: "years", values: (0..<10_000).map { 1990 + Double($0 % 31) }, inner: 1990...2020,
      outer: 400...2_700),
    .init(
      name: "far from 0", values: normals(10_000, mean: 1e6, deviation: 10), inner: 1e6 - 20...1e6 + 20,
      outer: 2e5...2e6),
    .init(
      name: "negative", values: (0..<10_000).map { -Double($0 % 100) - 1 }, inner: -100 ... -1,
      outer: -250...0),
    .init(name: "counts", values: (0..<10_000).map { Double($0 % 6) }, inner: 0...5, outer: 0...15),
    .init(
      name: "few outliers and missing values",
      values: (0..<10_000).map { $0 < 20 ? 1e30 : $0 < 40 ? .nan : Double($0 % 50) }, inner: 0...49,
      outer: 0...110),
    .init(name: "zero", values: .init(repeating: 0, count: 10_000), inner: 0...0, outer: -1...1),
    .init(name: "one", values: .init(repeating: 1, count: 10_000), inner: 1...1, outer: 0...3),
    .init(
      name: "both ends of doubles", values: (0..<10_000).map { $0 % 2 == 0 ? 1e300 : -1e300 },
      inner: -1e19...1e19, outer: -1e300...1e300),
  ]

  /// Noise of ε = 0.3 for a table of six columns.
  @Test(arguments: rows) func ranges(_ row: Row) throws {
    let search = try RangeSearch(noiseMultiplier: 20)
    let columns = (0..<6).map { RangeSearch.Column("c\($0)", row.values) }
    for range in try search(columns, noise: .notPrivate(seed: 3)) {
      #expect(range.contains(row.inner.lowerBound) && range.contains(row.inner.upperBound), "\(range)")
      #expect(row.outer.contains(range.lowerBound) && row.outer.contains(range.upperBound), "\(range)")
      #expect(range.lowerBound < range.upperBound)
    }
  }

  /// The guarantee rests on this: a row changes one count of each column by 1.
  @Test func aRowIsInOneBin() {
    let base = [3.0, -7, 0, 1e-30]
    for x in [0, -0.0, 0x1p-1074, 1e-20, 0.5, 1, 2, -3, 1e30, -1e300, .greatestFiniteMagnitude] {
      func change(_ bins: some RangeBins) -> Double {
        zip(RangeSearch.counts(base + [x], in: bins), RangeSearch.counts(base, in: bins))
          .reduce(0) { $0 + abs($1.0 - $1.1) }
      }
      #expect(change(PowerBins()) == 1 && change(EqualBins(span: -4...10)) == 1)
      // A number lies in the span of its bin.
      let own = PowerBins().index(x)
      if abs(x) < 0x1p63 { #expect(PowerBins().span(own, own).contains(x) || abs(x) < 0x1p-63, "\(x)") }
    }
    for x in [Double.nan, .infinity] {
      #expect(RangeSearch.counts([x], in: PowerBins()).allSatisfy { $0 == 0 })
    }
  }

  /// A search either holds nearly all rows or says that there are too few.
  @Test(arguments: [300, 1_000, 3_000, 10_000], ["normal", "logs", "whole"])
  func noRangeLosesManyRows(_ count: Int, _ kind: String) throws {
    let draws = Self.normals(count, mean: 0, deviation: 1)
    let values = draws.map {
      kind == "normal" ? $0 : kind == "logs" ? 2.7 * $0.magnitude + 10 : $0.rounded() + 50
    }
    var answers = 0
    for seed in 0..<20 {
      let noise = NoiseSource.notPrivate(seed: UInt64(seed))
      guard let range = try? RangeSearch(noiseMultiplier: 18)([.init("x", values)], noise: noise)[0] else {
        continue
      }
      answers += 1
      let lost = values.filter { !range.contains($0) }.count
      #expect(lost * 20 < count, "\(lost) of \(count) outside \(range)")
    }
    #expect(count < 3_000 || answers == 20)
    #expect(count > 300 || answers == 0)
  }

  /// Logarithms of equal, large and small numbers have a range of some width.
  @Test func logarithms() throws {
    for values in [[1], [1e300, 1e-300], [5, -1, 0]] as [[Double]] {
      let column = RangeSearch.Column("x", (0..<4_000).map { values[$0 % values.count] }, isLogarithmic: true)
      let range = try RangeSearch(noiseMultiplier: 10)([column], noise: .notPrivate(seed: 2))[0]
      #expect(range.lowerBound > 0 && range.upperBound.isFinite && range.lowerBound < range.upperBound)
      #expect(values.allSatisfy { $0 <= 0 || $0 > 1e200 || $0 < 1e-200 || range.contains($0) }, "\(range)")
    }
  }

  @Test func tooFewRows() throws {
    let search = try RangeSearch(noiseMultiplier: 20)
    for values in [[], [1.0], (0..<100).map(Double.init)] {
      let error = #expect(throws: PrivacyError.self) {
        try search([.init("age", values)], noise: .notPrivate(seed: 3))
      }
      #expect(error?.description.contains("range of age") == true)
    }
    #expect(throws: PrivacyError.self) { try RangeSearch(noiseMultiplier: 0) }
  }

  /// The noise of a wished ε, and its charge.
  @Test func theCharge() throws {
    let accountant = PLDAccountant(points: 1 << 12)
    let search = try RangeSearch(epsilon: 0.3, delta: 1e-5, by: accountant)
    let spent = try accountant.epsilon(of: search.ledger, delta: 1e-5)
    #expect(spent.upper <= 0.3 && spent.lower > 0.29)
    #expect(try search.ledger.steps == RangeSearch.steps)
  }

  /// Noise is drawn for each bin with deviation σ √columns, so empty columns pass at a rate below 10⁻³.
  @Test func emptyBinsDoNotPass() throws {
    let search = try RangeSearch(noiseMultiplier: 0.5)
    let noise = NoiseSource.notPrivate(seed: 8)
    var found = 0
    for _ in 0..<300 {
      if (try? search([.init("a", []), .init("b", [])], noise: noise)) != nil { found += 1 }
    }
    #expect(found <= 3)
  }
}
