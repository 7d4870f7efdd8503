/// Undoes one block of DEFLATE with fixed codes, straight from RFC 1951: what the tests hold the compressor
/// against.
func inflated(_ bytes: ArraySlice<UInt8>) throws -> [UInt8] {
  var position = 0
  func bit() throws -> Int {
    guard position / 8 < bytes.count else { throw Truncated() }
    defer { position += 1 }
    return Int(bytes[bytes.startIndex + position / 8] >> (position % 8)) & 1
  }
  func number(_ count: Int) throws -> Int { try (0..<count).reduce(0) { try $0 | bit() << $1 } }
  func code(_ count: Int, after prefix: Int = 0) throws -> Int {
    try (0..<count).reduce(prefix) { code, _ in try code << 1 | bit() }
  }
  func symbol() throws -> Int {
    var code = try code(7)
    if code < 0b0011000 { return code + 256 }
    code = try code << 1 | bit()
    if code < 0b11000000 { return code - 0b00110000 }
    if code < 0b11001000 { return code - 0b11000000 + 280 }
    return try (code << 1 | bit()) - 0b110010000 + 144
  }

  guard try number(3) == 0b011 else { throw Truncated() }
  var output: [UInt8] = []
  while true {
    let literal = try symbol()
    if literal < 256 {
      output.append(UInt8(literal))
    } else if literal == 256 {
      return output
    } else {
      let length = try lengths[literal - 257].base + number(lengths[literal - 257].bits)
      let distanceCode = try code(5)
      let distance = try distances[distanceCode].base + number(distances[distanceCode].bits)
      guard distance <= output.count else { throw Truncated() }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }
}

struct Truncated: Error {}

/// The tables of RFC 1951, 3.2.5, as printed there.
private let lengths: [(base: Int, bits: Int)] = Array(
  zip(
    [
      3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
      227, 258,
    ],
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0])
).map { ($0, $1) }

private let distances: [(base: Int, bits: Int)] = Array(
  zip(
    [
      1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
      4097, 6145,
      8193, 12289, 16385, 24577,
    ],
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13])
).map { ($0, $1) }
