import CKernels
import Testing

@Suite struct RandomTests {
  /// Known answers of Threefry-2x32-20 (Random123).
  @Test func knownAnswers() {
    let cases: [[UInt32]] = [
      [0, 0, 0, 0, 0x6b20_0159, 0x99ba_4efe],
      [.max, .max, .max, .max, 0x1cb9_96fc, 0xbb00_2be7],
      [0x1319_8a2e, 0x0370_7344, 0x243f_6a88, 0x85a3_08d3, 0xc492_3a9c, 0x483d_f7a0],
    ]
    for c in cases {
      var out: [UInt32] = [0, 0]
      ck_threefry(c[0], c[1], c[2], c[3], &out)
      #expect(out == [c[4], c[5]])
    }
  }

  /// Any length, and over the carry from the low to the high half of the counter.
  @Test(arguments: [0, 1, 15, 16, 17, 50]) func counters(_ n: Int) {
    for first: UInt64 in [0, 0xffff_fff0, 0x1_2345_6789] {
      var single = [UInt32](repeating: 0, count: n), double = [UInt64](repeating: 0, count: n)
      ck_threefry_bits32(1, 2, first, n, &single)
      ck_threefry_bits64(1, 2, first, n, &double)
      for i in 0..<n {
        let counter = first + UInt64(i)
        var out: [UInt32] = [0, 0]
        ck_threefry(1, 2, UInt32(counter >> 32), UInt32(truncatingIfNeeded: counter), &out)
        #expect(single[i] == out[0] ^ out[1])
        #expect(double[i] == UInt64(out[0]) << 32 | UInt64(out[1]))
      }
    }
  }

  @Test func uniform() {
    var generator = Generator()
    let words = (0..<37).map { _ in generator.bits() } + [0, .max]
    let halves = words.map { UInt32(truncatingIfNeeded: $0) }
    var single = [Float](repeating: .nan, count: words.count),
      double = [Double](repeating: .nan, count: words.count)
    ck_uniform(CK_F32, halves, words.count, -2, 3, &single)
    ck_uniform(CK_F64, words, words.count, -2, 3, &double)
    for i in words.indices {
      let u = Float(bitPattern: halves[i] >> 9 | 0x3f80_0000) - 1
      #expect(single[i] == max(-2, Float(-2).addingProduct(u, 5)))
      let v = Double(bitPattern: words[i] >> 12 | 0x3ff0_0000_0000_0000) - 1
      #expect(double[i] == max(-2, (-2.0).addingProduct(v, 5)))
    }
  }
}
