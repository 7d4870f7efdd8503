import Files

/// The checksum of a file, such as a checkpoint: a CRC-32 of the whole file in its own metadata, computed
/// with zeros in its place.
///
/// The file stays a safetensors file. Every change of a single byte, and of up to 32 bits in a row, is found.
package enum Seal {
  private static let name = "checksum"
  private static let blank = "00000000"

  /// The bytes of a file with a checksum in its metadata.
  package static func sealed(_ file: SafeTensors) -> [UInt8] {
    let bytes = SafeTensors(file.tensors, metadata: file.metadata.merging([name: blank]) { $1 }).bytes
    return sealed(bytes) ?? bytes
  }

  /// Whether the checksum in a file's bytes is that of the bytes.
  package static func isIntact(_ bytes: [UInt8]) -> Bool { sealed(bytes) == bytes }

  /// The bytes with their checksum in its place; nil where they have no place for one.
  private static func sealed(_ bytes: [UInt8]) -> [UInt8]? {
    guard let place = place(in: bytes) else { return nil }
    var bytes = bytes
    bytes.replaceSubrange(place, with: blank.utf8)
    let digits = String(crc32(bytes), radix: 16)
    bytes.replaceSubrange(place, with: (blank.dropFirst(digits.count) + digits).utf8)
    return bytes
  }

  /// The range of the checksum. Quotes within a text are escaped, so that only the name itself is found.
  private static func place(in bytes: [UInt8]) -> Range<Int>? {
    let mark = Array("\"\(name)\": \"".utf8)
    let starts = 0..<max(min(bytes.count, 1 << 26) - mark.count - blank.utf8.count, 0)
    let start = starts.first { bytes[$0] == mark[0] && bytes[$0...].starts(with: mark) }
    return start.map { $0 + mark.count..<$0 + mark.count + blank.utf8.count }
  }
}
