import CKernels

/// Memory for Box-Muller transforms of random words.
struct GaussianSpace: ~Copyable {
  /// The random words: those of the radii, then those of the angles.
  let words: UnsafeMutablePointer<UInt64>
  /// The two normal numbers of each pair.
  let cosines, sines: UnsafeMutablePointer<Double>
  private let angles: UnsafeMutablePointer<Double>

  init(pairs: Int) {
    // Blocks of the cipher have eight words.
    words = .allocate(capacity: 2 * pairs + 8)
    cosines = .allocate(capacity: pairs)
    sines = .allocate(capacity: pairs)
    angles = .allocate(capacity: pairs)
  }

  deinit {
    words.deallocate()
    cosines.deallocate()
    sines.deallocate()
    angles.deallocate()
  }

  /// Turns words into pairs of normal numbers, √(−2 log u) cos(2πv) and √(−2 log u) sin(2πv).
  mutating func transform(_ pairs: Int) {
    // Radii are in `angles` first, and angles in `sines`.
    for i in 0..<pairs {
      angles[i] = (Double(words[i]) + 0.5) * 0x1p-64
      sines[i] = 2 * Double.pi * (Double(words[pairs + i] >> 11) * 0x1p-53)
    }
    ck_unary(CK_F64, CK_LOG, angles, angles, pairs)
    for i in 0..<pairs { angles[i] *= -2 }
    ck_unary(CK_F64, CK_SQRT, angles, angles, pairs)
    ck_unary(CK_F64, CK_COS, sines, cosines, pairs)
    ck_unary(CK_F64, CK_SIN, sines, sines, pairs)
    for i in 0..<pairs {
      cosines[i] *= angles[i]
      sines[i] *= angles[i]
    }
  }
}
