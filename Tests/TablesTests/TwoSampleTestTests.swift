import Randomness
import Tensors
import Testing

@testable import Tables

@Suite struct TwoSampleTestTests {
  private let settings = TwoSampleTest.Settings(folds: 2, steps: 60, hidden: [16])

  private func table(_ columns: [[Double]], _ words: [String?]? = nil) -> ComparedTable {
    ComparedTable(
      columns.enumerated().map { .init("x\($0)", .numbers($1)) }
        + (words.map { [.init("word", .categories($0))] } ?? []))
  }

  private func normal(_ key: Int, _ count: Int = 400) -> [Double] {
    Key(key).normal([count], dtype: .float64).doubles
  }

  @Test func sameDistribution() throws {
    let test = try TwoSampleTest(
      real: table([normal(1), normal(2)]), synthetic: table([normal(3), normal(4)]), settings: settings,
      key: Key(0))
    #expect(abs(test.logistic - 0.5) < 0.08 && abs(test.network - 0.5) < 0.08, "\(test)")
  }

  /// A shift by one deviation has the AUC Φ(1/√2) = 0.7602 at best.
  @Test func shift() throws {
    let test = try TwoSampleTest(
      real: table([normal(1)]), synthetic: table([normal(2).map { $0 + 1 }]), settings: settings, key: Key(0))
    #expect(abs(test.logistic - 0.76) < 0.05 && abs(test.network - 0.76) < 0.05, "\(test)")
  }

  /// Columns with the same distributions but another relation: only the network can tell.
  @Test func relation() throws {
    let x = normal(1)
    let test = try TwoSampleTest(
      real: table([x, x.map { -$0 }]), synthetic: table([x, x]), settings: settings, key: Key(0))
    #expect(abs(test.logistic - 0.5) < 0.1 && test.network > 0.9, "\(test)")
  }

  /// Categories and missing values enter too, and the same key gives the same bits.
  @Test func categoriesAndMissingValues() throws {
    let (x, y) = (normal(1, 200), normal(2, 200))
    let words = x.indices.map { $0 % 3 == 0 ? "a" : $0 % 3 == 1 ? "b" : nil }
    let others = x.indices.map { $0 % 3 == 0 ? "a" : $0 % 3 == 1 ? "c" : "b" }
    let gaps = y.indices.map { $0 % 2 == 0 ? y[$0] : .nan }
    func test(_ a: ComparedTable, _ b: ComparedTable) throws -> TwoSampleTest {
      try TwoSampleTest(real: a, synthetic: b, settings: settings, key: Key(0))
    }
    let kinds = try test(table([x], words), table([y], others))
    #expect(kinds.logistic > 0.75 && kinds.network > 0.75, "\(kinds)")
    let missing = try test(table([x]), table([gaps]))
    #expect(missing.logistic > 0.65, "\(missing)")
    let again = try Parallelism.$threads.withValue(1) { try test(table([x], words), table([y], others)) }
    #expect(again.logistic == kinds.logistic && again.network == kinds.network)
    let few = try test(table([[1, 2, 3]]), table([[1, 2, 3]]))
    #expect(few.logistic.isNaN && few.network.isNaN)
    let constant = try test(table([[1, 1, 1, 1, 1]]), table([[1, 1, 1, 1, 1]]))
    #expect(constant.logistic == 0.5)
  }

  @Test func areaUnderCurve() {
    func area(_ scores: [Double], _ labels: [Bool]) -> Double {
      TwoSampleTest.areaUnderCurve(scores, labels)
    }
    #expect(area([0.1, 0.4, 0.35, 0.8], [false, false, true, true]) == 0.75)
    #expect(area([1, 1, 1], [true, false, true]) == 0.5)
    #expect(area([3, 2, 1], [true, false, false]) == 1 && area([1, 2], [true, false]) == 0)
    #expect(area([1, 2], [true, true]).isNaN)
  }
}
