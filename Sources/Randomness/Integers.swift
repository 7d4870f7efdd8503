import Tensors

extension Key {
  /// Draws integers in a range: lower + (h · 2³² + l) mod span, modulo 2³², for random words h and l.
  ///
  /// Equals `jax.random.randint(key, shape, lower, upper, int32)`, to the bit. For spans above 2¹⁶ that are
  /// no power of two, probabilities differ by a fraction of the order of span · 2⁻³². An empty range gives
  /// its lower bound, as in JAX.
  ///
  /// - Precondition: the range lies within −2³¹ ..< 2³¹; `first`, the number of elements skipped, is not
  ///   negative.
  public func integers(_ shape: Shape, in range: Range<Int>, from first: Int = 0) -> Tensor {
    Tensor(ints: whole("integers", shape.count, in: range, from: first), shape: shape)
  }

  /// Draws `count` row numbers below `n`, with replacement.
  ///
  /// A bootstrap sample is `data.rows(key.indices(n, of: n))`.
  ///
  /// Equals `jax.random.randint(key, [count], 0, n, int32)`, to the bit. For `n` = 0 there are none.
  ///
  /// - Precondition: Neither argument is negative, and `n` is at most 2³¹.
  public func indices(_ count: Int, of n: Int) -> [Int] {
    require(n >= 0, "indices: cannot draw of \(n) rows")
    return whole("indices", n == 0 ? 0 : count, in: 0..<n, from: 0)
  }

  private func whole(_ name: StaticString, _ count: Int, in range: Range<Int>, from first: Int) -> [Int] {
    require(
      range.lowerBound >= Int(Int32.min) && range.upperBound <= Int(Int32.max) + 1,
      "\(name): the range \(range) exceeds 32 bits")
    noteDraw(name, count, from: first)
    let upper = child(0).words(count, from: first)
    let lower = child(1).words(count, from: first)
    // (h * 2^32 + l) mod span = ((h mod span) * (2^32 mod span) + l mod span) mod span. The span 2^32 is 0
    // here, and a remainder by it changes nothing; the product and the sum wrap, which for spans above 2^16
    // is JAX's formula too.
    let span = range.isEmpty ? 1 : UInt32(truncatingIfNeeded: range.count)
    let root = remainder(1 << 16, span)
    let multiplier = remainder(root &* root, span)
    return zip(upper, lower).map { h, l in
      let offset = remainder(remainder(h, span) &* multiplier &+ remainder(l, span), span)
      return Int(Int32(truncatingIfNeeded: range.lowerBound) &+ Int32(bitPattern: offset))
    }
  }
}

/// Computes `a` mod `b`, where `b` = 0 means 2³².
private func remainder(_ a: UInt32, _ b: UInt32) -> UInt32 { b == 0 ? a : a % b }
