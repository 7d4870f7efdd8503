import Files

/// The checksum of a checkpoint: a CRC-32 of the whole file in its own metadata, computed with zeros in its
/// place.
///
/// The file stays a safetensors file. Every change of a single byte, and of up to 32 bits in a row, is found.
enum Seal {
  /// The name in the metadata.
  static let name = "checksum"
  private static let blank = "00000000"

  /// The metadata with a place for the checksum.
  static func unsealed(_ metadata: [String: String]) -> [String: String] {
    metadata.merging([name: blank]) { $1 }
  }

  /// The bytes of a file whose metadata has a place for the checksum, with the checksum in it.
  static func sealed(_ file: SafeTensors) -> [UInt8] {
    var bytes = file.bytes
    guard let place = place(in: bytes) else { return bytes }
    let digits = String(crc32(bytes), radix: 16)
    bytes.replaceSubrange(place, with: (String(repeating: "0", count: 8 - digits.count) + digits).utf8)
    return bytes
  }

  /// Whether the checksum in a file's bytes is that of the bytes.
  static func isIntact(_ bytes: [UInt8]) -> Bool {
    guard let place = place(in: bytes) else { return false }
    var blanked = bytes
    blanked.replaceSubrange(place, with: blank.utf8)
    let digits = String(crc32(blanked), radix: 16)
    return bytes[place].elementsEqual((String(repeating: "0", count: 8 - digits.count) + digits).utf8)
  }

  /// Where the checksum stands. Quotes within a text are escaped, so that only the name itself is found.
  private static func place(in bytes: [UInt8]) -> Range<Int>? {
    let mark = Array("\"\(name)\": \"".utf8)
    guard let length = bytes.first.map({ _ in min(bytes.count, 1 << 26) }), length > mark.count + 8 else {
      return nil
    }
    for start in 0..<length - mark.count - 8 where bytes[start] == mark[0] {
      let end = start + mark.count
      if bytes[start..<end].elementsEqual(mark) { return end..<end + 8 }
    }
    return nil
  }
}
