import Tensors

/// The numbers 0 to n − 1 in a random order, computed one by one in O(1) memory for any n.
///
/// A Feistel network of six rounds permutes the smallest 2²ᵏ ≥ n numbers; its round function is the hash of
/// the key. Numbers from n on are permuted again until they fall below n, less than four times on average
/// (Black & Rogaway 2002, *Ciphers with arbitrary finite domains*). `Key.permutation` shuffles better where n
/// numbers fit into memory, and has the values of JAX.
public struct KeyedPermutation: RandomAccessCollection, Sendable {
  /// The number of numbers, n.
  public let count: Int
  private let rounds: [Key]
  private let halfBits: Int

  /// A random order of the numbers 0 to `count` − 1.
  ///
  /// - Precondition: `count` is not negative and at most 2⁶⁰.
  public init(_ key: Key, count: Int) {
    require(count >= 0 && count <= 1 << 60, "a permutation of 0 to 2^60 numbers, got \(count)")
    self.count = count
    rounds = (0..<6).map { key.folded(in: $0) }
    let bits = Int.bitWidth - Swift.max(count - 1, 1).leadingZeroBitCount
    halfBits = (bits + 1) / 2
  }

  /// The first position, 0.
  public var startIndex: Int { 0 }
  /// The number of numbers, n.
  public var endIndex: Int { count }

  /// The number at a position.
  ///
  /// - Precondition: The position is in `0..<count`.
  public subscript(position: Int) -> Int {
    require(position >= 0 && position < count, "position \(position) of \(count)")
    var value = position
    repeat { value = permuted(value) } while value >= count
    return value
  }

  private func permuted(_ value: Int) -> Int {
    let mask = 1 << halfBits - 1
    var (left, right) = (value >> halfBits, value & mask)
    for key in rounds { (left, right) = (right, left ^ Int(key.child(UInt64(right)).low) & mask) }
    return left << halfBits | right
  }
}
