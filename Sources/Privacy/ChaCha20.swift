import CKernels

/// The block function of the stream cipher ChaCha20 (Bernstein 2008; RFC 8439, section 2.3).
///
/// The state has a 64-bit counter and a 64-bit nonce, as in the original. The RFC cuts the same 128 bits
/// otherwise.
struct ChaCha20: Sendable {
  private let key: SIMD8<UInt32>

  init(key: SIMD8<UInt32>) { self.key = key }

  /// Blocks of 64 bytes from a counter on, each as eight little-endian words.
  func blocks(_ count: Int, from counter: UInt64, nonce: UInt64, into words: UnsafeMutablePointer<UInt64>) {
    withUnsafeBytes(of: key) { key in
      let halves = UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self)
      ck_chacha(key.assumingMemoryBound(to: UInt32.self).baseAddress!, counter, nonce, count, halves)
      #if _endian(big)
        for i in 0..<8 * count { words[i] = words[i] << 32 | words[i] >> 32 }
      #endif
    }
  }

  /// Normal numbers from the blocks from a counter on. Sixteen blocks give 32 secure numbers or 128 others.
  func gaussians(
    _ count: Int, from counter: UInt64, nonce: UInt64, secure: Bool, into y: UnsafeMutablePointer<Double>
  ) {
    withUnsafeBytes(of: key) { key in
      let words = key.assumingMemoryBound(to: UInt32.self).baseAddress!
      ck_gaussians(words, counter, nonce, secure, count, y)
    }
  }
}
