import CKernels
import Foundation
import Testing

@testable import Privacy

/// The source of noise: its cipher, its distribution, and that it keeps its key.
@Suite struct NoiseTests {
  /// The block of RFC 8439, section 2.3.2. Its nonce of 96 bits ends in the upper half of this counter.
  @Test func blockOfTheRFC() {
    var key = SIMD8<UInt32>()
    for i in 0..<8 { key[i] = 0x0302_0100 &+ UInt32(i) &* 0x0404_0404 }
    var words = [UInt64](repeating: 0, count: 8)
    ChaCha20(key: key).blocks(1, from: 1 | 0x0900_0000 << 32, nonce: 0x4a00_0000, into: &words)
    let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    let expected = """
      10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2\
      b5129cd1de164eb9cbd083e8a2503c4e
      """
    #expect(bytes.map { String(format: "%02x", $0) }.joined() == expected)
  }

  /// Blocks in one call are those of one call each, across the end of the counter's lower half.
  @Test func blocksInOneCall() {
    let cipher = ChaCha20(key: SIMD8(1, 2, 3, 4, 5, 6, 7, 8))
    let first: UInt64 = 0xffff_fff0
    var words = [UInt64](repeating: 0, count: 8 * 37)
    cipher.blocks(37, from: first, nonce: 9, into: &words)
    for i in 0..<37 {
      var own = [UInt64](repeating: 0, count: 8)
      cipher.blocks(1, from: first + UInt64(i), nonce: 9, into: &own)
      #expect(Array(words[8 * i..<8 * i + 8]) == own)
    }
    #expect(Set(words).count == words.count)
  }

  /// A longer call starts with the numbers of a shorter one, by whole pieces.
  @Test func piecesOfAStreamStandApart() {
    let source = NoiseSource.notPrivate(seed: 6)
    let long = source.gaussians(1500, deviation: 1, secure: true, stream: 77)
    #expect(Array(long[..<1024]) == source.gaussians(1024, deviation: 1, secure: true, stream: 77))
    #expect(Set(long).count == 1500)
  }

  /// Noise that is added in pieces is that of the whole stream.
  @Test(arguments: [true, false]) func addedNoise(secure: Bool) {
    let source = NoiseSource.notPrivate(seed: 3)
    let sums = (0..<2_500).map { Float($0) / 8 }
    var noised = [Float](repeating: 0, count: 2_500)
    sums.withUnsafeBytes { x in
      noised.withUnsafeMutableBytes { y in
        for range in [0..<1_024, 1_024..<2_500] {
          source.addGaussians(
            to: x.baseAddress! + 4 * range.lowerBound, CK_F32, count: range.count, deviation: 3, scale: 0.1,
            secure: secure, stream: 5, from: range.lowerBound, into: y.baseAddress! + 4 * range.lowerBound)
        }
      }
    }
    let draws = source.gaussians(2_500, deviation: 3, secure: secure, stream: 5)
    #expect(noised == (0..<2_500).map { Float(0.1 * (Double(sums[$0]) + draws[$0])) })
  }

  @Test(arguments: [true, false]) func gaussians(secure: Bool) {
    let count = 40_000
    let draws = NoiseSource.notPrivate(seed: 4).gaussians(count, deviation: 3, secure: secure).map { $0 / 3 }
    #expect(draws.count == count)
    func mean(_ function: (Double) -> Double) -> Double {
      draws.reduce(0) { $0 + function($1) } / Double(count)
    }
    // Six standard errors.
    let error = 6 / Double(count).squareRoot()
    #expect(abs(mean { $0 }) < error)
    #expect(abs(mean { $0 * $0 } - 1) < error * 2.0.squareRoot())
    #expect(abs(mean { $0 * $0 * $0 * $0 } - 3) < error * 96.0.squareRoot())
    #expect(abs(mean { abs($0) > 2 ? 1 : 0 } - 0.0455) < error * 0.21)
    let neighbours = (1..<count).reduce(0) { $0 + draws[$1] * draws[$1 - 1] } / Double(count)
    #expect(abs(neighbours) < error)
  }

  @Test func oddCounts() {
    for count in [0, 1, 2, 3, 7] {
      for secure in [true, false] {
        let draws = NoiseSource.notPrivate(seed: 1).gaussians(count, secure: secure)
        #expect(draws.count == count && Set(draws).count == count)
      }
    }
  }

  @Test func seedsRepeatAndCallsDoNot() {
    let (a, b) = (NoiseSource.notPrivate(seed: 9), NoiseSource.notPrivate(seed: 9))
    let first = a.gaussians(5)
    #expect(first == b.gaussians(5) && a.gaussians(5) != first && a.gaussians(5) != b.gaussians(5))
    #expect(NoiseSource.notPrivate(seed: 10).gaussians(5) != first)
    #expect(NoiseSource.notPrivate(seed: 9 | 1 << 32).gaussians(5) != first)
    #expect(NoiseSource.secret().gaussians(5) != NoiseSource.secret().gaussians(5))
  }

  @Test func threadsShareNoStream() async {
    let source = NoiseSource.secret()
    let all = await withTaskGroup(of: [Double].self) { group in
      for _ in 0..<8 { group.addTask { (0..<20).flatMap { _ in source.gaussians(3) } } }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(Set(all).count == 480)
  }

  @Test func samplesOfRows() {
    let source = NoiseSource.notPrivate(seed: 2)
    let (rows, rate, rounds) = (500, 0.1, 200)
    let samples = (0..<rounds).map { _ in source.poissonSample(rate: rate, of: rows) }
    let sizes = samples.map { Double($0.count) }
    let mean = sizes.reduce(0, +) / Double(rounds)
    let variance = sizes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rounds - 1)
    #expect(abs(mean - 50) < 6 * (45.0 / 200).squareRoot() && abs(variance - 45) < 6 * 45 * 0.1)
    #expect(samples.allSatisfy { $0 == Set($0).sorted() && $0.allSatisfy((0..<rows).contains) })
    #expect(source.poissonSample(rate: 0, of: 100).isEmpty && source.poissonSample(rate: 0.5, of: 0).isEmpty)
    #expect(source.poissonSample(rate: 1, of: 100) == Array(0..<100))
  }

  @Test func theKeyIsNotPrinted() {
    for (source, name, isPrivate) in [
      (NoiseSource.secret(), "NoiseSource.secret", true),
      (NoiseSource.notPrivate(seed: 0x1234_5678), "NoiseSource.notPrivate", false),
    ] {
      #expect("\(source)" == name && String(reflecting: source) == name && source.isPrivate == isPrivate)
      var text = ""
      dump(source, to: &text)
      #expect(text == "- \(name) #0\n" && Mirror(reflecting: source).children.isEmpty)
    }
  }
}
