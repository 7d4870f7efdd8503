import Tensors

extension Key {
  /// Draws a permutation of the numbers 0 to `n` - 1.
  ///
  /// They are sorted stably by random 32-bit words. There is one round for every full power of 2³² up to n³,
  /// two from n = 1626 on, so that equal words do not matter. Equals `jax.random.permutation(key, n)`. The
  /// cost is O(n).
  ///
  /// - Precondition: `n` is not negative and below 2³².
  public func permutation(_ n: Int) -> [Int] {
    require(n >= 0 && n < 1 << 32, "permutation: cannot permute \(n) numbers")
    noteWhole("permutation")
    return unrecordedPermutation(n)
  }

  /// Draws `permutation(n)` as an int32 tensor, for a frozen leaf of a parameter tree.
  ///
  /// - Precondition: `n` is not negative and at most 2³¹.
  public func permutationTensor(_ n: Int) -> Tensor { Tensor(ints: permutation(n)) }

  /// Draws `count` different row numbers below `n`, without replacement.
  ///
  /// Every ordered selection has the same probability. There are two ways to draw:
  ///
  /// - For n up to 2²⁰, and where more than a quarter of the rows are drawn, the rows are the first `count`
  ///   of `permutation(n)`. They equal `jax.random.choice(key, n, [count], replace=False)`. The cost is O(n).
  /// - Otherwise rows are drawn one after the other and repeated ones are skipped. A row is the upper half of
  ///   the product of n and a 64-bit word of `bits64`; words that would make it uneven are skipped. The cost
  ///   is O(count) in time and memory. JAX has no counterpart.
  ///
  /// Where JAX refuses `count` > `n`, all `n` rows are drawn.
  ///
  /// - Precondition: neither is negative; `n` is below 2³², or `count` is at most a quarter of it.
  public func choice(_ count: Int, of n: Int) -> [Int] {
    require(count >= 0, "choice: cannot choose \(count) rows")
    require(n >= 0 && (n < 1 << 32 || count <= n / 4), "choice: cannot choose \(count) of \(n) rows")
    noteWhole("choice")
    return n <= 1 << 20 || count > n / 4
      ? Array(unrecordedPermutation(n).prefix(count)) : sparseChoice(count, of: UInt64(n))
  }

  private func sparseChoice(_ count: Int, of n: UInt64) -> [Int] {
    // 2⁶⁴ mod n words are too many for all rows to get the same number (Lemire 2019, arXiv 1805.10941).
    let surplus = (0 &- n) % n
    var (rows, seen, counter) = ([Int](), Set<UInt64>(minimumCapacity: count), 0)
    rows.reserveCapacity(count)
    while rows.count < count {
      let words = longWords(count - rows.count, from: counter)
      counter += words.count
      for word in words {
        let (row, rest) = n.multipliedFullWidth(by: word)
        if rest >= surplus, seen.insert(row).inserted { rows.append(Int(row)) }
      }
    }
    return rows
  }

  private func unrecordedPermutation(_ n: Int) -> [Int] {
    // An item has its sorting word in the upper half and its number in the lower.
    var items = [UInt64](0..<UInt64(n))
    var key = self
    for _ in 0..<sortingRounds(n) {
      let words = key.child(1).words(n)
      key = key.child(0)
      for i in 0..<n { items[i] = UInt64(words[i]) << 32 | items[i] & 0xFFFF_FFFF }
      sortByUpperHalf(&items)
    }
    return items.map { Int($0 & 0xFFFF_FFFF) }
  }
}

/// The number of rounds, ceil(3 ln n / ln(2³² − 1)). The thresholds are the largest n with n³ ≤ (2³² − 1)ʳ.
func sortingRounds(_ n: Int) -> Int {
  switch n {
  case ...1: 0
  case ...1625: 1
  case ...2_642_245: 2
  default: 3
  }
}

/// Sorts stably by the upper 32 bits, which are uniformly random, in O(n).
///
/// The leading bits of an item, as many as distinguish n places, send it near its final place. Insertion does
/// the rest.
private func sortByUpperHalf(_ items: inout [UInt64]) {
  let digits = Int.bitWidth - items.count.leadingZeroBitCount
  // next[digit] counts the items with the digit. Then it is the place of the next of them.
  var next = [UInt32](repeating: 0, count: 1 << digits)
  let sorted = [UInt64](unsafeUninitializedCapacity: items.count) { target, initialized in
    next.withUnsafeMutableBufferPointer { next in
      for item in items { next[Int(item >> (64 - digits))] += 1 }
      var start: UInt32 = 0
      for digit in next.indices { (next[digit], start) = (start, start + next[digit]) }
      for item in items {
        let digit = Int(item >> (64 - digits))
        target[Int(next[digit])] = item
        next[digit] += 1
      }
    }
    for i in 1..<items.count {
      let item = target[i]
      var place = i
      while place > 0, target[place - 1] >> 32 > item >> 32 {
        target[place] = target[place - 1]
        place -= 1
      }
      target[place] = item
    }
    initialized = items.count
  }
  items = sorted
}
