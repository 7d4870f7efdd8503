import CKernels

extension Key {
  /// Draws `count` random 32-bit words. Word i is o₀ ⊕ o₁ of the hash (o₀, o₁) of the counter `first` + i.
  ///
  /// Equals `jax.random.bits(key, [first + count], uint32)[first:]` to the bit.
  ///
  /// - Precondition: Neither argument is negative.
  public func bits(_ count: Int, from first: Int = 0) -> [UInt32] {
    noteDraw("bits", count, from: first)
    return words(count, from: first)
  }

  /// Draws `count` random 64-bit words. Word i is o₀ · 2³² + o₁ of the hash (o₀, o₁) of the counter `first` +
  /// i.
  ///
  /// Equals `jax.random.bits(key, [first + count], uint64)[first:]`, to the bit. Both draws hash the same
  /// counters, so use a key for one of them only.
  ///
  /// - Precondition: Neither argument is negative.
  public func bits64(_ count: Int, from first: Int = 0) -> [UInt64] {
    noteDraw("bits64", count, from: first)
    return longWords(count, from: first)
  }

  /// `bits64` without telling the recorder.
  func longWords(_ count: Int, from first: Int) -> [UInt64] {
    [UInt64](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { ck_threefry_bits64(high, low, UInt64(first), count, base) }
      initialized = count
    }
  }

  /// Draws `bits` without a note to the recorder.
  func words(_ count: Int, from first: Int = 0) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: count) { buffer, initialized in
      if let base = buffer.baseAddress { ck_threefry_bits32(high, low, UInt64(first), count, base) }
      initialized = count
    }
  }
}
