/// A random permutation of the numbers 0 to n − 1, computed element by element in O(1) memory.
///
/// A Feistel network of six rounds, whose round function is the key's hash, permutes the smallest 2²ᵏ ≥ n
/// numbers. A result of n or more is permuted again until it is below n, less than four times on average
/// (Black & Rogaway 2002, *Ciphers with arbitrary finite domains*). If n numbers fit into memory,
/// `Key.permutation` shuffles better and has JAX's values.
public struct KeyedPermutation: RandomAccessCollection, Sendable {
  /// The number of elements, n.
  public let count: Int
  private let rounds: [Key]
  private let halfBits: Int

  /// Makes a permutation of the numbers 0 to `count` − 1.
  ///
  /// - Precondition: `count` is not negative and at most 2⁶⁰.
  public init(_ key: Key, count: Int) {
    precondition(count >= 0 && count <= 1 << 60, "a permutation of 0 to 2^60 numbers, got \(count)")
    self.count = count
    rounds = (0..<6).map { key.folded(in: $0) }
    let bits = Int.bitWidth - Swift.max(count - 1, 1).leadingZeroBitCount
    halfBits = (bits + 1) / 2
  }

  /// The first position, 0.
  public var startIndex: Int { 0 }
  /// The position after the last, n.
  public var endIndex: Int { count }

  /// The number at a position.
  ///
  /// - Precondition: The position is in `0..<count`.
  public subscript(position: Int) -> Int {
    precondition(position >= 0 && position < count, "position \(position) of \(count)")
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
