import CKernels
import Tensors

/// A source of random numbers: two words that determine every draw.
///
/// A key is a value, and drawing does not change it. So the same draw from the same key always gives the same
/// bits, and two different draws from one key are dependent. Use each key once: either for one draw, or to
/// derive children.
///
/// ```swift
/// let key = Key(42)
/// let weights = key.folded(in: 0).normal([3, 2])
/// let bias = key.folded(in: 1).uniform([2])
/// ```
///
/// Keys, children and draws are those of `jax.random` in JAX 0.5 and later
/// (`jax_threefry_partitionable=True`). The generator is Threefry-2x32 with 20 rounds (Salmon et al.,
/// *Parallel random numbers: as easy as 1, 2, 3*, SC 2011). Element i of a draw is the hash of the 64-bit
/// counter i, so draws do not depend on threads, chunks or machines.
public struct Key: Sendable, Hashable {
  /// The first word.
  public let high: UInt32
  /// The second word.
  public let low: UInt32

  /// The key of a seed, with its upper and lower 32 bits. Equals `jax.random.key(seed)` with
  /// `jax_enable_x64`.
  ///
  /// Without that flag JAX drops the upper 32 bits, which matters for negative seeds and those from 2³² on.
  public init(_ seed: Int) {
    let pattern = UInt64(bitPattern: Int64(seed))
    self.init(high: UInt32(truncatingIfNeeded: pattern >> 32), low: UInt32(truncatingIfNeeded: pattern))
  }

  /// Makes a key of two words. Equals `jax.random.wrap_key_data`.
  public init(high: UInt32, low: UInt32) { (self.high, self.low) = (high, low) }
}

extension Key: CustomStringConvertible {
  /// Both words in hexadecimal, such as `Key(00000000 0000002a)`.
  public var description: String { "Key(\(hexadecimal(high)) \(hexadecimal(low)))" }
}

private func hexadecimal(_ word: UInt32) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

// MARK: - Children

extension Key {
  /// Child number `index`, the hash of the counter `index`. Children of different indices are independent.
  ///
  /// Equals `jax.random.fold_in(key, index)`, to the bit, for indices from 0 to 2³² − 1. JAX takes no others.
  /// Here the 64-bit pattern of an index counts, so all indices give different children.
  ///
  /// `key.split(n)[i] == key.folded(in: i)`, so derive children of a key in one of the two ways only.
  public func folded(in index: Int) -> Key {
    KeyRecorder.current?.note(self, .folded, "folded(in: \(index))")
    return child(UInt64(bitPattern: Int64(index)))
  }

  /// Derives children 0 to `count` - 1. Equals `jax.random.split(key, count)` to the bit.
  ///
  /// The first children do not depend on `count`: `key.split(3).prefix(2) == key.split(2)`.
  ///
  /// - Precondition: `count` is not negative.
  public func split(_ count: Int = 2) -> [Key] {
    require(count >= 0, "a key splits into 0 or more children, got \(count)")
    KeyRecorder.current?.note(self, .split, "split(\(count))")
    return (0..<count).map { child(UInt64($0)) }
  }

  /// A child without telling the recorder, for draws that derive keys of their own.
  func child(_ counter: UInt64) -> Key {
    var words: (UInt32, UInt32) = (0, 0)
    withUnsafeMutableBytes(of: &words) {
      let upper = UInt32(truncatingIfNeeded: counter >> 32)
      let lower = UInt32(truncatingIfNeeded: counter)
      ck_threefry(high, low, upper, lower, $0.assumingMemoryBound(to: UInt32.self).baseAddress)
    }
    let child = Key(high: words.0, low: words.1)
    DrawTrace.current?.note(child, counter, of: self)
    return child
  }
}
