import Files
import Foundation
import Testing

@testable import Tables

/// Tables, and the numbers that sdmetrics computes from them: `Tests/Fixtures/make_table_metrics.py`.
private struct Case: Decodable, Sendable, CustomTestStringConvertible {
  struct Column: Decodable, Sendable {
    let name: String
    let score: Double?
  }
  struct Pair: Decodable, Sendable {
    let first, second: String
    let score: Double?
    var real, synthetic: Double?
    var isStrong: Bool?
  }
  let name, real, synthetic, heldOut, random: String
  let columns: [Column]
  let pairs, allPairs, binned: [Pair]
  let columnShapes, pairTrends, allPairTrends, quality: Double?
  let distances: [Double]
  let baseline: Double?
  let closerToTraining, overfitting: Double
  var testDescription: String { name }

  static let all: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/metrics.json")
    do {
      return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }()

  func tables() throws -> [ComparedTable] {
    try ComparedTable.aligned(
      [real, synthetic, heldOut, random].map { try TextTable.parse($0, options: .init(header: .present)) })
  }
}

/// Whether a number is the expected one, where nil stands for NaN.
private func isEqual(_ value: Double, _ expected: Double?) -> Bool {
  expected.map { abs(value - $0) <= 1e-12 } ?? value.isNaN
}

@Suite struct TableMetricsTests {
  @Test(arguments: Case.all) fileprivate func columns(_ item: Case) throws {
    let tables = try item.tables()
    let quality = TableQuality(real: tables[0], synthetic: tables[1])
    #expect(quality.columns.map(\.name) == item.columns.map(\.name))
    for (own, expected) in zip(quality.columns, item.columns) {
      #expect(isEqual(own.score, expected.score), "\(own), \(expected)")
    }
    #expect(isEqual(quality.columnShapes, item.columnShapes))
    #expect(isEqual(quality.pairTrends, item.pairTrends), "\(quality.pairTrends), \(item.pairTrends ?? .nan)")
    #expect(isEqual(quality.score, item.quality))
  }

  @Test(arguments: Case.all) fileprivate func pairs(_ item: Case) throws {
    let tables = try item.tables()
    let names = tables[0].columns.map(\.name)
    let strong = TableQuality(real: tables[0], synthetic: tables[1]).pairs
    let all = TableQuality(
      real: tables[0], synthetic: tables[1], thresholds: .init(correlation: 0, association: 0))
    #expect(isEqual(all.pairTrends, item.allPairTrends))
    #expect(strong.count == item.pairs.count && all.pairs.count == item.allPairs.count)
    for (own, expected) in zip(strong, item.pairs) {
      #expect([names[own.first], names[own.second]] == [expected.first, expected.second])
      // Scores and correlations of pairs that do not count are absent there.
      #expect(own.isStrong == expected.isStrong ?? false, "\(own), \(expected)")
      if expected.score != nil { #expect(isEqual(own.trend.score, expected.score)) }
      if let real = expected.real { #expect(isEqual(own.trend.real, real), "\(own), \(expected)") }
      if let other = expected.synthetic { #expect(isEqual(own.trend.synthetic, other)) }
    }
    for (own, expected) in zip(all.pairs, item.allPairs) {
      #expect(isEqual(own.trend.score, expected.score), "\(names[own.first]), \(own), \(expected)")
    }
  }

  @Test(arguments: Case.all) fileprivate func binsOfTheRealTable(_ item: Case) throws {
    let tables = try item.tables()
    func values(_ table: ComparedTable, _ name: String) -> ComparedTable.Values {
      table.columns.first { $0.name == name }!.values
    }
    for pair in item.binned {
      let own = TableMetrics.contingencySimilarity(
        real: (values(tables[0], pair.first), values(tables[0], pair.second)),
        synthetic: (values(tables[1], pair.first), values(tables[1], pair.second)))
      #expect(isEqual(own.score, pair.score), "\(pair), \(own)")
    }
  }

  @Test(arguments: Case.all) fileprivate func distances(_ item: Case) throws {
    let tables = try item.tables()
    let own = RecordDistances(
      toTraining: TableMetrics.distancesToClosest(of: tables[1], in: tables[0]),
      toHeldOut: TableMetrics.distancesToClosest(of: tables[1], in: tables[2]),
      ofRandom: TableMetrics.distancesToClosest(of: tables[3], in: tables[0]))
    #expect(own.toTraining.count == item.distances.count)
    for (a, b) in zip(own.toTraining, item.distances) { #expect(isEqual(a, b)) }
    #expect(isEqual(own.baselineProtection, item.baseline))
    #expect(isEqual(own.shareCloserToTraining!, item.closerToTraining))
    #expect(isEqual(own.overfittingProtection!, item.overfitting))
  }

  /// Without data there is no score, and the columns of a table may be any.
  @Test func nothingToCompare() {
    #expect(TableMetrics.ksComplement([.nan], [1]).isNaN && TableMetrics.ksComplement([], []).isNaN)
    #expect(TableMetrics.tvComplement([nil], ["a"]).isNaN)
    #expect([Double]().median.isNaN && [3.0, 1, 2].median == 2 && [1.0, 2].median == 1.5)
    let alone = ComparedTable([.init("a", .numbers([1, 2]))])
    let quality = TableQuality(real: alone, synthetic: alone)
    #expect(quality.score == 1 && quality.pairTrends.isNaN && quality.pairs.isEmpty)
  }
}
