import Randomness
import Tensors
import Testing

@testable import Inference

@Suite struct HeldOutRowsTests {
  /// Rows keep their roles, and a tenth of all is held out, however few come in a round.
  @Test(arguments: [[250, 250, 250], [4, 4, 4, 4, 4, 4], [1, 30, 2, 100]])
  func rowsKeepTheirRoles(rounds: [Int]) throws {
    var held = HeldOutRows()
    for (round, count) in rounds.enumerated() {
      let before = held
      try held.add(Key(9).normal([count, 2]), key: Key(round))
      #expect(Array(held.numbers.prefix(before.numbers.count)) == before.numbers)
      let own = held.numbers.dropFirst(before.numbers.count)
      #expect(own.allSatisfy { (before.count..<held.count).contains($0) } && Set(own).count == own.count)
      #expect(abs(Double(held.numbers.count) - 0.1 * Double(held.count)) <= 0.5)
    }
  }
}
