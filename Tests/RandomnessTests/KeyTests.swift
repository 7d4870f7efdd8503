import Randomness
import Testing

@Suite struct KeyTests {
  /// The reference implementation's own answers: lines 30 to 32 of libs/random/test/test_threefry.cpp in
  /// https://github.com/DEShawResearch/Random123-Boost at 65e3d874b67aa7b3e02d5ad8306462f52d2079c0.
  @Test(
    arguments: [
      ([0, 0], 0, [0x6b20_0159, 0x99ba_4efe]),
      ([0xffff_ffff, 0xffff_ffff], 0xffff_ffff_ffff_ffff, [0x1cb9_96fc, 0xbb00_2be7]),
      ([0x1319_8a2e, 0x0370_7344], 0x243f_6a88_85a3_08d3, [0xc492_3a9c, 0x483d_f7a0]),
    ] as [([UInt32], UInt64, [UInt32])])
  func knownAnswers(key: [UInt32], counter: UInt64, answer: [UInt32]) {
    #expect(Key(high: key[0], low: key[1]).folded(in: Int(bitPattern: UInt(counter))).words == answer)
  }

  @Test func seeds() throws {
    for row in Fixture.shared.keys { #expect(Key(try #require(Int(row.seed))).words == row.words) }
  }

  /// 64-bit counters, as a child's index and as an element's.
  @Test func counters() {
    for row in Fixture.shared.blocks {
      let key = Key(high: row.key[0], low: row.key[1])
      let index = Int(bitPattern: UInt(row.counter.bits))
      #expect(key.folded(in: index).words == row.words)
      guard index >= 0, index < .max else { continue }
      #expect(key.bits(1, from: index) == [row.words[0] ^ row.words[1]])
      #expect(key.bits64(1, from: index) == [UInt64(row.words[0]) << 32 | UInt64(row.words[1])])
    }
  }

  @Test func children() {
    for row in Fixture.shared.children {
      let key = Key(row.seed)
      #expect(key.split(row.split.count).map(\.words) == row.split)
      #expect(key.split().map(\.words) == row.split2)
      for fold in row.folds { #expect(key.folded(in: fold.data).words == fold.words) }
      #expect(key.split(3)[2].folded(in: 9).words == row.grandchild)
    }
  }

  @Test func splitIsFolding() {
    let key = Key(11)
    #expect(key.split(20) == (0..<20).map { key.folded(in: $0) })
    #expect(key.split(0).isEmpty)
    #expect(Set([-2, -1, 0, 1, 1 << 32, 1 << 33].map { key.folded(in: $0) }).count == 6)
  }

  @Test func bits() {
    for row in Fixture.shared.bits {
      let count = row.shape.reduce(1, *)
      #expect(Key(row.seed).bits(count) == row.bits32)
      #expect(Key(row.seed).bits64(count) == row.bits64.map(\.bits))
    }
    #expect(Key(0).bits(0).isEmpty)
  }

  @Test func describesItself() {
    #expect("\(Key(42))" == "Key(00000000 0000002a)")
    #expect("\(Key(-1))" == "Key(ffffffff ffffffff)")
  }
}
