import Tensors

extension Key {
  /// Draws a permutation of the numbers 0 to `n` - 1.
  ///
  /// The numbers are sorted stably by random 32-bit words, ⌈3 ln n / ln(2³² − 1)⌉ times (twice from n = 1626
  /// on), so that equal words have no effect. Equals `jax.random.permutation(key, n)`. The cost is O(n).
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
  public func permutationTensor(_ n: Int) -> Tensor {
    Tensor(ints: permutation(n))
  }

  /// Draws `count` row numbers below `n` without replacement, the first `count` of `permutation(n)`.
  ///
  /// Equals `jax.random.choice(key, n, [count], replace=False)`. Where JAX refuses `count` > `n`, all `n` are
  /// drawn. Costs O(n).
  ///
  /// - Precondition: `count` is not negative, `n` as in `permutation`.
  public func choice(_ count: Int, of n: Int) -> [Int] {
    require(count >= 0, "choice: cannot choose \(count) rows")
    require(n >= 0 && n < 1 << 32, "choice: cannot choose of \(n) rows")
    noteWhole("choice")
    return Array(unrecordedPermutation(n).prefix(count))
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

/// The number of sorts, ⌈3 ln n / ln(2³² − 1)⌉. The thresholds are the largest n with n³ ≤ (2³² − 1)ʳ.
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
/// The leading log₂ n bits of an item give a place near its final one. An insertion sort completes the order.
private func sortByUpperHalf(_ items: inout [UInt64]) {
  let digits = Int.bitWidth - items.count.leadingZeroBitCount
  // next[digit] is first the number of items with the digit, then the place of the next of them.
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
