/// The numbers 0 to n − 1 in an order drawn from a key, computed one by one: O(1) memory for any n.
///
/// A Feistel network of six rounds, whose round function is the key's hash, permutes the smallest 2²ᵏ ≥ n; numbers of n and
/// more are permuted again until they fall below it (Black & Rogaway 2002, *Ciphers with arbitrary finite domains*), less
/// than four times on average. `Key.permutation` shuffles better where n numbers fit into memory, and has JAX's values.
public struct KeyedPermutation: RandomAccessCollection, Sendable {
  /// How many numbers there are.
  public let count: Int
  private let rounds: [Key]
  private let halfBits: Int

  /// An order of the numbers 0 to `count` − 1.
  ///
  /// - Precondition: `count` is not negative and at most 2⁶⁰.
  public init(_ key: Key, count: Int) {
    precondition(count >= 0 && count <= 1 << 60, "a permutation of 0 to 2^60 numbers, got \(count)")
    self.count = count
    rounds = (0..<6).map { key.folded(in: $0) }
    let bits = Int.bitWidth - Swift.max(count - 1, 1).leadingZeroBitCount
    halfBits = (bits + 1) / 2
  }

  /// 0.
  public var startIndex: Int { 0 }
  /// The number of numbers.
  public var endIndex: Int { count }

  /// The number at a position.
  ///
  /// - Precondition: the position is in `0..<count`.
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
