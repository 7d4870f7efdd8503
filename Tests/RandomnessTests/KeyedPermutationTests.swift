import Randomness
import Testing

@Suite struct KeyedPermutationTests {
  @Test(arguments: [0, 1, 2, 3, 4, 5, 17, 64, 65, 1000])
  func visitsEachNumberOnce(count: Int) {
    for seed in 0..<5 {
      #expect(KeyedPermutation(Key(seed), count: count).sorted() == Array(0..<count))
    }
  }

  /// Over keys, each number stands at each place about equally often: χ² with 24 degrees of freedom, whose
  /// upper 10⁻⁶ quantile is 73.
  @Test func placesAreUniform() {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 5), count: 5)
    let keys = 4_000
    for seed in 0..<keys {
      for (place, number) in KeyedPermutation(Key(seed), count: 5).enumerated() { counts[place][number] += 1 }
    }
    let expected = Double(keys) / 5
    let chiSquared = counts.joined().reduce(0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    #expect(chiSquared < 73)
  }

  /// All orders of four numbers are about equally likely: χ² with 23 degrees of freedom.
  @Test func ordersAreUniform() {
    var counts: [[Int]: Int] = [:]
    let keys = 6_000
    for seed in 0..<keys { counts[Array(KeyedPermutation(Key(seed), count: 4)), default: 0] += 1 }
    let expected = Double(keys) / 24
    let chiSquared = counts.values.reduce(0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    #expect(counts.count == 24)
    #expect(chiSquared < 71)
  }

  @Test func largeCountsNeedNoMemory() {
    let order = KeyedPermutation(Key(7), count: 1 << 40)
    let numbers = (0..<100).map { order[$0] }
    #expect(Set(numbers).count == 100 && numbers.allSatisfy { (0..<(1 << 40)).contains($0) })
    #expect(numbers.contains { $0 > 1 << 39 })
  }
}
