/// Computes CRC-32, the checksum of PNG and zip files (ISO 3309), eight bytes at a time.
package func crc32(_ bytes: [UInt8]) -> UInt32 {
  bytes.withUnsafeBytes { bytes in
    crcTable.withUnsafeBufferPointer { table in
      var (remainder, place): (UInt32, Int) = (~0, 0)
      while bytes.count - place >= 8 {
        let next = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self).littleEndian
        let word = next ^ UInt64(remainder)
        remainder = 0
        for i in 0..<8 {
          let byte = Int(truncatingIfNeeded: word >> UInt64(8 * i) & 0xFF)
          remainder ^= table[256 * (7 - i) + byte]
        }
        place += 8
      }
      for byte in bytes[place...] {
        remainder = table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] ^ remainder >> 8
      }
      return ~remainder
    }
  }
}

/// The remainders of all bytes, and behind them those of bytes with one to seven zeros after them.
private let crcTable: [UInt32] = {
  var table: [UInt32] = []
  for byte in 0..<256 as Range<UInt32> {
    var remainder = byte
    for _ in 0..<8 { remainder = remainder & 1 == 1 ? 0xEDB8_8320 ^ remainder >> 1 : remainder >> 1 }
    table.append(remainder)
  }
  for place in 0..<7 * 256 {
    let shorter = table[place]
    table.append(table[Int(shorter & 0xFF)] ^ shorter >> 8)
  }
  return table
}()
