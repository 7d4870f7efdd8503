/// Compresses bytes by DEFLATE (RFC 1951) in a zlib stream (RFC 1950).
///
/// The stream is one block of fixed codes. A match is sought only at the latest earlier position of the next
/// three bytes. The result is not the smallest possible, but a fraction of a picture's raw size.
func zlibCompressed(_ bytes: [UInt8]) -> [UInt8] {
  var stream = BitStream()
  var latest = LatestPlaces()
  stream.append(0b011, count: 3)  // This is the last block, and it has fixed codes.
  var position = 0
  while position < bytes.count {
    if let match = latest.match(in: bytes, at: position) {
      stream.append(length: match.length, distance: match.distance)
      position += match.length
    } else {
      stream.append(symbol: Int(bytes[position]))
      position += 1
    }
  }
  stream.append(symbol: 256)
  return [0x78, 0x01] + stream.bytes + bigEndian(adler32(bytes))
}

/// The latest position of each sequence of three bytes, in a table by their hash.
private struct LatestPlaces {
  private var places = [Int](repeating: -1, count: 1 << 14)

  /// Finds a match of at least three bytes for a position, if the table has one, and stores the position.
  mutating func match(in bytes: [UInt8], at position: Int) -> (length: Int, distance: Int)? {
    guard position + 3 <= bytes.count else { return nil }
    let three = UInt32(bytes[position]) << 16 | UInt32(bytes[position + 1]) << 8 | UInt32(bytes[position + 2])
    let hash = Int((three &* 0x9E37_79B1) >> 18)
    let earlier = places[hash]
    places[hash] = position
    guard earlier >= 0, position - earlier <= 32_768 else { return nil }
    let limit = min(258, bytes.count - position)
    var length = 0
    while length < limit, bytes[earlier + length] == bytes[position + length] { length += 1 }
    return length >= 3 ? (length, position - earlier) : nil
  }
}

/// A stream of bits, packed from the least significant end, with the fixed codes of RFC 1951, 3.2.6.
private struct BitStream {
  private(set) var bytes: [UInt8] = []
  private var used = 8

  /// Appends the low bits of a number, least significant first.
  mutating func append(_ bits: Int, count: Int) {
    for bit in 0..<count {
      if used == 8 {
        bytes.append(0)
        used = 0
      }
      bytes[bytes.count - 1] |= UInt8(bits >> bit & 1) << UInt8(used)
      used += 1
    }
  }

  /// Appends a Huffman code, most significant bit first.
  private mutating func append(code: Int, count: Int) {
    for bit in stride(from: count - 1, through: 0, by: -1) { append(code >> bit, count: 1) }
  }

  /// Appends a literal byte, the end of the block (256) or a length's symbol.
  mutating func append(symbol: Int) {
    switch symbol {
    case ..<144: append(code: 0x30 + symbol, count: 8)
    case ..<256: append(code: 0x190 + symbol - 144, count: 9)
    case ..<280: append(code: symbol - 256, count: 7)
    default: append(code: 0xC0 + symbol - 280, count: 8)
    }
  }

  /// Appends a copy of `length` bytes from `distance` bytes back.
  mutating func append(length: Int, distance: Int) {
    // Lengths from 3 fall into a group of 8 symbols, then into groups of 4 with one more extra bit each; 258
    // has a symbol of its own. Distances from 1 fall into a group of 4 symbols, then into groups of 2.
    if length == 258 {
      append(symbol: 285)
    } else {
      let (symbol, extra, bits) = bucket(of: length - 3, perDoubling: 4)
      append(symbol: 257 + symbol)
      append(extra, count: bits)
    }
    let (symbol, extra, bits) = bucket(of: distance - 1, perDoubling: 2)
    append(code: symbol, count: 5)
    append(extra, count: bits)
  }

  /// The bucket of a number where each doubling has `count` buckets of equal size. Also gives the number's
  /// place in the bucket and the number of bits for that place.
  private func bucket(of number: Int, perDoubling count: Int) -> (bucket: Int, place: Int, bits: Int) {
    let bits = max(0, number.bitWidth - 1 - max(number, 1).leadingZeroBitCount - count.trailingZeroBitCount)
    return (bits * count + number >> bits, number & (1 << bits - 1), bits)
  }
}
