/// Computes Adler-32, the checksum of a zlib stream (RFC 1950).
func adler32(_ bytes: [UInt8]) -> UInt32 {
  let (low, high) = bytes.reduce((1, 0) as (UInt32, UInt32)) { sums, byte in
    let low = (sums.0 + UInt32(byte)) % 65521
    return (low, (sums.1 + low) % 65521)
  }
  return high << 16 | low
}
