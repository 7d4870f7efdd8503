import Testing

@testable import Files

/// Streams of the fixed code, written here bit by bit, with matches of chosen lengths and distances.
@Suite struct InflateTests {
  /// A writer of one block of the fixed code (RFC 1951, 3.2.6), and the bytes that it stands for.
  private struct Stream {
    private(set) var packed: [UInt8] = []
    private(set) var content: [UInt8] = []
    private var bitCount = 0

    init() {
      bits(1, 1)
      bits(1, 2)
    }

    /// Adds bits, least significant first.
    private mutating func bits(_ value: Int, _ count: Int) {
      for i in 0..<count {
        if bitCount % 8 == 0 { packed.append(0) }
        packed[packed.count - 1] |= UInt8(value >> i & 1) << UInt8(bitCount % 8)
        bitCount += 1
      }
    }

    /// Adds a code, most significant bit first.
    private mutating func code(_ value: Int, _ count: Int) {
      for i in (0..<count).reversed() { bits(value >> i & 1, 1) }
    }

    private mutating func symbol(_ symbol: Int) {
      switch symbol {
      case 0..<144: code(0x30 + symbol, 8)
      case 144..<256: code(0x190 + symbol - 144, 9)
      case 256..<280: code(symbol - 256, 7)
      default: code(0xC0 + symbol - 280, 8)
      }
    }

    mutating func literal(_ byte: UInt8) {
      symbol(Int(byte))
      content.append(byte)
    }

    /// Adds a match; one from before the first byte stands for nothing.
    mutating func match(_ length: Int, distance: Int) {
      let a = (257...285).last { Inflate.length($0).least <= length }!
      symbol(a)
      bits(length - Inflate.length(a).least, Inflate.length(a).extraBits)
      let b = (0...29).last { Inflate.distance($0).least <= distance }!
      code(b, 5)
      bits(distance - Inflate.distance(b).least, Inflate.distance(b).extraBits)
      guard distance <= content.count else { return }
      for _ in 0..<length { content.append(content[content.count - distance]) }
    }

    mutating func end() { symbol(256) }
  }

  /// The numbers of the format's table.
  @Test func lengthsAndDistances() {
    #expect([257, 264, 265, 268, 284, 285].map { Inflate.length($0).least } == [3, 10, 11, 17, 227, 258])
    #expect([257, 264, 265, 268, 284, 285].map { Inflate.length($0).extraBits } == [0, 0, 1, 1, 5, 0])
    #expect([0, 3, 4, 29].map { Inflate.distance($0).least } == [1, 4, 5, 24_577])
    #expect([0, 3, 4, 29].map { Inflate.distance($0).extraBits } == [0, 0, 1, 13])
  }

  /// Matches that overlap themselves at any period, at the border of a word, and far back; with requests for
  /// memory that are right, absent and wrong.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 300, 700])
  func matches(distance: Int) throws {
    var stream = Stream()
    for i in 0..<700 { stream.literal(UInt8(truncatingIfNeeded: i * i / 7)) }
    for length in [3, 4, 7, 8, 9, 10, 15, 16, 17, 31, 257, 258] {
      stream.match(length, distance: distance)
      stream.literal(UInt8(length & 0xFF))
    }
    for i in 0..<20 { stream.literal(UInt8(i)) }
    stream.end()
    try stream.packed.withUnsafeBytes { packed in
      let count = stream.content.count
      for expected in [0, count, 7, 1 << 40] {
        let (bytes, end) = try Inflate.inflated(packed, limit: 1 << 30, expecting: expected)
        #expect(bytes == stream.content && end == packed.count)
      }
      #expect(try Inflate.inflated(packed, count: count) == stream.content)
      #expect(throws: Inflate.Failure.self) { try Inflate.inflated(packed, limit: count - 1) }
      #expect(throws: Inflate.Failure.self) { try Inflate.inflated(packed, count: count + 1) }
    }
  }

  /// A match from before the first byte, in the fast loop and outside it.
  @Test(arguments: [1, 400]) func distancesTooFar(literals: Int) throws {
    var stream = Stream()
    for _ in 0..<literals { stream.literal(7) }
    stream.match(3, distance: literals + 1)
    for _ in 0..<400 { stream.literal(7) }
    stream.end()
    stream.packed.withUnsafeBytes { packed in
      let failure = #expect(throws: Inflate.Failure.self) { try Inflate.inflated(packed, limit: 1 << 20) }
      #expect(failure?.message == "expected a distance of at most \(literals), got \(literals + 1)")
    }
  }
}
