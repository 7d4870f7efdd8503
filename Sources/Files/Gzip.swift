import Tensors

/// A reader of gzip files (RFC 1952): DEFLATE streams with a checksum each.
enum Gzip {
  /// Whether bytes begin as a gzip file does.
  static func matches(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B]) }

  /// Expands all members of a file, one after the other, and checks their checksums.
  ///
  /// - Parameter limit: The largest expanded size in bytes.
  static func expanded(_ bytes: [UInt8], limit: Int, source: String) throws(FlowError) -> [UInt8] {
    try BinaryBytes.with(bytes, source: source) { (file) throws(FlowError) in
      var (result, place): ([UInt8], Int) = ([], 0)
      // The size of the last member, modulo 2³²; mostly there is one.
      let expected = try file.count < 4 ? 0 : file.number(at: file.count - 4, count: 4, "a size")
      // Zeros may fill the last block of a tape.
      while place < file.count, place == 0 || file.bytes[place] != 0 {
        let start = try contentStart(of: file, at: place)
        let packed = try file.slice(start, count: file.count - start, "a compressed stream")
        let (content, length): ([UInt8], Int)
        do throws(Inflate.Failure) {
          (content, length) = try Inflate.inflated(packed, limit: limit - result.count, expecting: expected)
        } catch {
          throw file.error(at: start + error.offset, "\(error.message), in a gzip file")
        }
        let end = start + length
        let check = try file.number(at: end, count: 4, "a checksum")
        let size = try file.number(at: end + 4, count: 4, "a size")
        let found = Int(crc32(content))
        guard found == check, size == content.count & 0xFFFF_FFFF else {
          throw file.error(
            at: end,
            "expected the checksum \(String(check, radix: 16)) and \(size) bytes, "
              + "got \(String(found, radix: 16)) and \(content.count): the gzip file is damaged")
        }
        if result.isEmpty { result = content } else { result += content }
        place = end + 8
      }
      return result
    }
  }

  /// The byte after a member's header.
  private static func contentStart(of file: BinaryBytes, at place: Int) throws(FlowError) -> Int {
    let head = try file.slice(place, count: 10, "a gzip header")
    guard head[0] == 0x1F, head[1] == 0x8B, head[2] == 8 else {
      throw file.error(at: place, "expected a gzip member, got something else")
    }
    let flags = head[3]
    var start = place + 10
    if flags & 4 != 0 { start += 2 + (try file.number(at: start, count: 2, "an extra field")) }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {  // The name and the comment end in 0.
      while try file.number(at: start, count: 1, "a gzip header") != 0 { start += 1 }
      start += 1
    }
    return flags & 2 != 0 ? start + 2 : start
  }
}
