/// The block function of the stream cipher ChaCha20 (Bernstein 2008; RFC 8439, section 2.3).
///
/// The state has a 64-bit counter and a 64-bit nonce, as in the original. The RFC cuts the same 128 bits
/// otherwise.
struct ChaCha20: Sendable {
  private let key: SIMD8<UInt32>

  init(key: SIMD8<UInt32>) { self.key = key }

  /// The 64 bytes of a block, as eight little-endian words.
  func block(counter: UInt64, nonce: UInt64, into words: UnsafeMutablePointer<UInt64>) {
    var a = SIMD4<UInt32>(0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574)
    var (b, c) = (key.lowHalf, key.highHalf)
    var d = SIMD4<UInt32>(
      UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
      UInt32(truncatingIfNeeded: nonce), UInt32(truncatingIfNeeded: nonce >> 32))
    let start = (a, b, c, d)
    for _ in 0..<10 {
      ChaCha20.quarters(&a, &b, &c, &d)
      // The diagonals become columns, and columns again.
      b = SIMD4(b.y, b.z, b.w, b.x)
      c = SIMD4(c.z, c.w, c.x, c.y)
      d = SIMD4(d.w, d.x, d.y, d.z)
      ChaCha20.quarters(&a, &b, &c, &d)
      b = SIMD4(b.w, b.x, b.y, b.z)
      c = SIMD4(c.z, c.w, c.x, c.y)
      d = SIMD4(d.y, d.z, d.w, d.x)
    }
    let rows = (a &+ start.0, b &+ start.1, c &+ start.2, d &+ start.3)
    ChaCha20.store(rows.0, into: words)
    ChaCha20.store(rows.1, into: words + 2)
    ChaCha20.store(rows.2, into: words + 4)
    ChaCha20.store(rows.3, into: words + 6)
  }

  private static func store(_ row: SIMD4<UInt32>, into words: UnsafeMutablePointer<UInt64>) {
    words[0] = UInt64(row.x) | UInt64(row.y) << 32
    words[1] = UInt64(row.z) | UInt64(row.w) << 32
  }

  /// The four quarter rounds of a round, one in each lane.
  @inline(__always)
  private static func quarters(
    _ a: inout SIMD4<UInt32>, _ b: inout SIMD4<UInt32>, _ c: inout SIMD4<UInt32>, _ d: inout SIMD4<UInt32>
  ) {
    halves(&a, &b, &c, &d, 16, 12)
    halves(&a, &b, &c, &d, 8, 7)
  }

  /// Half of the four quarter rounds, with its two rotations.
  @inline(__always)
  private static func halves(
    _ a: inout SIMD4<UInt32>, _ b: inout SIMD4<UInt32>, _ c: inout SIMD4<UInt32>, _ d: inout SIMD4<UInt32>,
    _ first: UInt32, _ second: UInt32
  ) {
    a &+= b
    d ^= a
    d = d &<< first | d &>> (32 - first)
    c &+= d
    b ^= c
    b = b &<< second | b &>> (32 - second)
  }
}
