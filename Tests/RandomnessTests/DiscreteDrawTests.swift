import Randomness
import Tensors
import Testing

/// Draws of whole numbers against `jax.random`.
@Suite struct DiscreteDrawTests {
  @Test(arguments: Fixture.shared.integers)
  func integers(row: Fixture.Integers) {
    let values = Key(row.seed).integers(Shape(row.shape), in: row.low..<row.high)
    #expect(values.dtype == .int32 && values.shape == Shape(row.shape))
    #expect(values.ints == row.values)
    if row.low == 0 { #expect(Key(row.seed).indices(row.values.count, of: row.high) == row.values) }
  }

  @Test func indicesOfNothing() {
    #expect(Key(0).indices(5, of: 0) == [])
    #expect(Key(0).choice(5, of: 0) == [])
    #expect(Key(0).integers([3], in: 7..<7).ints == [7, 7, 7])
  }

  @Test(arguments: Fixture.shared.permutations)
  func permutation(row: Fixture.Permutation) {
    let values = Key(row.seed).permutation(row.n)
    #expect(values.count == row.n)
    if let checksum = row.checksum {
      #expect(Array(values.prefix(row.values.count)) == row.values)
      var xor = 0
      for (i, value) in values.enumerated() { xor ^= value * (i + 1) }
      #expect(xor == checksum)
    } else {
      #expect(values == row.values)
      #expect(Key(row.seed).permutationTensor(row.n).ints == row.values)
    }
  }

  @Test(arguments: Fixture.shared.choices)
  func choice(row: Fixture.Permutation) throws {
    #expect(Key(row.seed).choice(try #require(row.count), of: row.n) == row.values)
  }

  @Test func choosingMoreThanThereAre() {
    #expect(Key(0).choice(10, of: 4).sorted() == [0, 1, 2, 3])
  }

  /// Rows of more than a permutation could hold, without repeats, from the whole range.
  @Test func choosingOfVeryMany() {
    for n in [1 << 20 + 1, 1 << 31, 1 << 40, (1 << 62) + 12_345] {
      let rows = Key(3).choice(2_000, of: n)
      #expect(Set(rows).count == 2_000 && rows.allSatisfy { (0..<n).contains($0) })
      #expect(rows == Key(3).choice(2_000, of: n) && rows != Key(4).choice(2_000, of: n))
      let mean = rows.reduce(0) { $0 + Double($1) / Double(n) } / 2_000
      #expect(abs(mean - 0.5) < 0.03)  // 4.6 standard errors
    }
    #expect(Key(3).choice(0, of: 1 << 40) == [])
    #expect(Key(3).choice(5, of: 1 << 40) == Array(Key(3).choice(9, of: 1 << 40).prefix(5)))
  }

  /// Up to 2²⁰ rows, and where many are drawn, the choice is the beginning of a permutation.
  @Test func choosingOfAFew() {
    #expect(Key(5).choice(3, of: 1 << 20) == Array(Key(5).permutation(1 << 20).prefix(3)))
    let n = (1 << 20) + 7
    #expect(Key(5).choice(n / 4 + 1, of: n) == Array(Key(5).permutation(n).prefix(n / 4 + 1)))
  }

  @Test(arguments: Fixture.shared.categoricals)
  func categorical(row: Fixture.Categorical) {
    let dtype = DType(named: row.dtype)
    let logits = Tensor(
      row.logits.map { dtype == .float32 ? $0.float : $0.double }, shape: Shape(row.logitsShape), dtype: dtype
    )
    let values = Key(row.seed).categorical(logits: logits, count: row.count)
    #expect(values.shape == Shape(row.shape))
    #expect(values.ints == row.values)
  }

  @Test func categoricalAtEdges() {
    let logits = Tensor([[0, .nan, 1], [-.infinity, -.infinity, -3]])
    #expect(
      Key(0).categorical(logits: logits, count: 50).ints
        == Array(repeating: [1, 2], count: 50).flatMap { $0 })
    #expect(Key(0).categorical(logits: logits, count: 0).shape == [0, 2])
  }

  @Test(arguments: Fixture.shared.bernoullis)
  func bernoulli(row: Fixture.Bernoulli) {
    let (shape, dtype) = (Shape(row.shape), DType(named: row.dtype))
    let expected = row.values.map(Double.init)
    #expect(Key(row.seed).bernoulli(shape, probability: row.p, dtype: dtype).doubles == expected)
    #expect(Key(row.seed).bernoulli(probabilities: .full(shape, row.p, dtype: dtype)).doubles == expected)
  }

  /// u < p, not u <= p: a probability of exactly u gives 0, and the next number gives 1.
  @Test func bernoulliComparesStrictly() {
    let u = Key(3).uniform([20])
    #expect(Key(3).bernoulli(probabilities: u).doubles == Array(repeating: 0, count: 20))
    #expect(Key(3).bernoulli([], probability: u[0].item).item == 0)
    #expect(Key(3).bernoulli([], probability: Double(u.floats[0].nextUp)).item == 1)
  }

  /// Chi-square of 10 bins and 100,000 draws: 9 degrees of freedom, 27.9 is exceeded once in a thousand.
  @Test func integersAreEvenlySpread() {
    var bins = [Double](repeating: 0, count: 10)
    for value in Key(1).indices(100_000, of: 10) { bins[value] += 1 }
    #expect(bins.reduce(0) { $0 + ($1 - 10_000) * ($1 - 10_000) / 10_000 } < 27.9)
  }
}
