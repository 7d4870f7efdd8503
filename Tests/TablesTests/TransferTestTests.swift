import Randomness
import Tensors
import Testing

@testable import Tables

@Suite struct TransferTestTests {
  private let settings = TwoSampleTest.Settings(steps: 80, hidden: [16])

  /// Rows whose `y` is 2x − 1 with noise, and whose word is the sign of x. Unrelated columns have draws of
  /// their own.
  private func table(_ key: Int, _ rows: Int = 200, isRelated: Bool = true) -> ComparedTable {
    let draws = (0..<4).map { Key(key).folded(in: $0).normal([rows], dtype: .float64).doubles }
    let (x, noise) = (draws[0], draws[1])
    let (a, b) = isRelated ? (x, x) : (draws[2], draws[3])
    let y = x.indices.map { $0 % 9 == 4 ? .nan : 2 * a[$0] - 1 + 0.3 * noise[$0] }
    let words = x.indices.map { $0 % 9 == 5 ? nil : b[$0] > 0 ? "up" : "down" }
    return ComparedTable([
      .init("x", .numbers(x)), .init("y", .numbers(y)), .init("word", .categories(words)),
    ])
  }

  /// Rows of the same kind are as useful, and rows without the relation are useless.
  @Test(arguments: ["y", "word"]) func usefulRows(_ target: String) throws {
    func test(_ synthetic: ComparedTable) throws -> TransferTest {
      try TransferTest(
        target, real: table(1), synthetic: synthetic, training: table(2), settings: settings, key: Key(0))
    }
    let (same, unrelated) = (try test(table(3)), try test(table(3, isRelated: false)))
    #expect(same.isNumeric == (target == "y"))
    #expect(same.synthetic > 0.85 && abs(same.synthetic - same.training) < 0.1, "\(same)")
    #expect(unrelated.synthetic < 0.7, "\(unrelated)")
    #expect(unrelated.training == same.training, "the training rows do not depend on the synthetic ones")
  }

  @Test func nothingToPredict() throws {
    #expect {
      try TransferTest("z", real: table(1), synthetic: table(2), training: table(3), key: Key(0))
    } throws: {
      "\($0)" == "TransferTest: expected a column x, y, word, got z"
    }
    let few = try TransferTest("y", real: table(1), synthetic: table(2, 3), training: table(3), key: Key(0))
    #expect(few.synthetic.isNaN && few.training.isNaN)
    let constant = ComparedTable([.init("x", .numbers([1, 2, 3, 4])), .init("y", .numbers([5, 5, 5, 5]))])
    let none = try TransferTest(
      "y", real: constant, synthetic: constant, training: constant, settings: .init(steps: 2), key: Key(0))
    #expect(none.synthetic.isNaN)
  }
}
