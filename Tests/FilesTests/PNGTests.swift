import FuzzSupport
import Files
import Tensors
import Testing

@testable import Plots

@Suite struct PNGTests {
  /// "123456789" is the check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC); Adler-32 of
  /// "Wikipedia" is worked out in that encyclopaedia's article.
  @Test func checksums() {
    #expect(crc32(Array("123456789".utf8)) == 0xCBF4_3926)
    #expect(crc32(Array("IEND".utf8)) == 0xAE42_6082)
    #expect(adler32(Array("Wikipedia".utf8)) == 0x11E6_0398)
    #expect(adler32([]) == 1)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
  ])
  func base64OfRFC4648(text: String, encoded: String) {
    #expect(base64(Array(text.utf8)) == encoded)
  }

  @Test func compressionIsUndoneByInflating() throws {
    var generator = Generator(seed: 5)
    var inputs: [[UInt8]] = [[], [0], Array(repeating: 7, count: 100_000), Array("abcabcabcabcabcdabc".utf8)]
    for symbols in [2, 5, 200, 256] {
      inputs.append((0..<50_000).map { _ in UInt8(Int.random(in: 0..<symbols, using: &generator)) })
    }
    let page = (0..<1_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    inputs.append(page + [UInt8](repeating: 1, count: 31_760) + page)  // The farthest match: 32,760 back.
    for length in 1...300 { inputs.append([1, 2, 3] + [UInt8](repeating: 9, count: length) + [4]) }
    for input in inputs {
      let compressed = zlibCompressed(input)
      #expect(compressed.prefix(2) == [0x78, 0x01])
      #expect(try inflated(compressed[2..<compressed.count - 4]) == input)
      #expect(Array(compressed.suffix(4)) == bigEndian(adler32(input)))
    }
  }

  @Test func fileHoldsThePixels() throws {
    let values: [Double] = [0, 1, 2, .nan, 5, -1, .infinity, 1.5]
    let png = PNG(values, width: 4, height: 2, range: 0...2, colors: .gray)
    #expect(png.indices == [0, 127, 254, 255, 254, 0, 255, 191])

    let bytes = png.bytes
    #expect(Array(bytes.prefix(8)) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    var chunks: [String: [UInt8]] = [:]
    var position = 8
    while position < bytes.count {
      let count = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let body = Array(bytes[position + 4..<position + 8 + count])
      #expect(Array(bytes[position + 8 + count..<position + 12 + count]) == bigEndian(crc32(body)))
      chunks[String(decoding: body.prefix(4), as: UTF8.self)] = Array(body.dropFirst(4))
      position += 12 + count
    }
    #expect(chunks["IHDR"] == [0, 0, 0, 4, 0, 0, 0, 2, 8, 3, 0, 0, 0])
    #expect(chunks["PLTE"]?.prefix(6) == [0, 0, 0, 1, 1, 1])
    #expect(chunks["tRNS"]?.count == 256 && chunks["tRNS"]?.last == 0)
    #expect(chunks["IEND"] == [])
    let data = try #require(chunks["IDAT"])
    let lines = try inflated(data[2..<data.count - 4])
    #expect(lines == [0, 0, 127, 254, 255, 0, 254, 0, 255, 191])
  }

  /// OKLab's lightness of the map's colours rises in equal steps, so that differences look alike everywhere.
  @Test func duskIsPerceptuallyUniform() {
    func power(_ base: Double, _ exponent: Double) -> Double {
      exp(log(Tensor(base, dtype: .float64)) * exponent).item
    }
    func linear(_ channel: UInt8) -> Double {
      let c = Double(channel) / 255
      return c <= 0.04045 ? c / 12.92 : power((c + 0.055) / 1.055, 2.4)
    }
    let lightness = (0...16).map { step in
      let (red, green, blue) = ColorMap.dusk.rgb(at: Double(step) / 16)
      let (r, g, b) = (linear(red), linear(green), linear(blue))
      let l = power(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b, 1 / 3.0)
      let m = power(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b, 1 / 3.0)
      let s = power(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b, 1 / 3.0)
      return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s
    }
    for (step, value) in lightness.enumerated() {
      #expect(abs(value - (0.25 + 0.68 * Double(step) / 16)) < 0.006)
    }
  }

  @Test(
    arguments: [(-1.0, 0), (0, 0), (0.5, 128), (1, 255), (7, 255), (.nan, 0), (.infinity, 255)]
      as [(Double, UInt8)])
  func colorsAreClamped(fraction: Double, red: UInt8) {
    #expect(ColorMap.gray.rgb(at: fraction).red == red)
  }
}
