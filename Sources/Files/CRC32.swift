/// Computes CRC-32, the checksum of PNG and zip files (ISO 3309).
package func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { crcTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
}

/// The remainders of all bytes.
private let crcTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { remainder, _ in
    remainder & 1 == 1 ? 0xEDB8_8320 ^ remainder >> 1 : remainder >> 1
  }
}
