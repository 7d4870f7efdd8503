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
