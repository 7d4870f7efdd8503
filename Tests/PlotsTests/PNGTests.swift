import Files
import Foundation
import FuzzSupport
import Tensors
import Testing

@testable import Plots

@Suite struct PNGTests {
  /// "123456789" is the check value of the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC);
  /// Adler-32 of "Wikipedia" is worked out in that encyclopaedia's article.
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

    let chunks = try chunks(of: png.bytes)
    #expect(chunks["IHDR"] == [0, 0, 0, 4, 0, 0, 0, 2, 8, 3, 0, 0, 0])
    #expect(chunks["PLTE"]?.prefix(6) == [0, 0, 0, 1, 1, 1])
    #expect(chunks["tRNS"]?.count == 256 && chunks["tRNS"]?.last == 0)
    #expect(chunks["IEND"] == [])
    let data = try #require(chunks["IDAT"])
    let lines = try inflated(data[2..<data.count - 4])
    #expect(lines == [0, 0, 127, 254, 255, 0, 254, 0, 255, 191])
  }

  /// Pictures of pixels as files of their own, read back by a decoder that shares nothing with the encoder.
  @Test func picturesOfPixelsAreFilesToo() throws {
    let grid = DensityPlot.Grid(x: 0...2, y: 0...1, columns: 2, rows: 1)
    let density = DensityPlot("Two cells", density: Tensor([0, 2]), on: grid, colors: .gray)
    let two = try decoded(try #require(density.png))
    #expect(two.width == 640 && two.height == 320)
    #expect(two.pixels[..<320].allSatisfy { $0 == [0, 0, 0, 255] })
    #expect(two.pixels[640 * 319 + 320..<640 * 320].allSatisfy { $0 == [255, 255, 255, 255] })

    // Groups of different size from left to right; what stands nowhere is transparent.
    let images = ImageGrid(
      "Images",
      groups: [
        .init("a", Tensor([0, 1, 2, 3], shape: [1, 2, 2])), .init("none", Tensor([], shape: [0, 2, 2])),
        .init("b", Tensor([3, .nan, 0], shape: [1, 3, 1])),
      ], range: 0...3)
    let three = try decoded(try #require(images.png))
    let scale = three.height / 3
    #expect(scale > 1 && three.width == (2 + 4 + 1) * scale && three.height == 3 * scale)
    func pixel(_ row: Int, _ column: Int) -> [UInt8] {
      three.pixels[(row * scale + scale / 2) * three.width + column * scale + scale / 2]
    }
    #expect(pixel(0, 0) == [0, 0, 0, 255] && pixel(0, 1) == [85, 85, 85, 255])
    #expect(pixel(1, 0) == [170, 170, 170, 255] && pixel(1, 1) == [255, 255, 255, 255])
    #expect(pixel(2, 0)[3] == 0 && pixel(0, 3)[3] == 0 && pixel(1, 6)[3] == 0)
    #expect(pixel(0, 6) == [255, 255, 255, 255] && pixel(2, 6) == [0, 0, 0, 255])

    let empty = try decoded(try #require(ImageGrid("None", groups: []).png))
    #expect(empty.pixels == [[UInt8]](repeating: empty.pixels[0], count: empty.pixels.count))
    #expect(empty.pixels[0][3] == 0)
  }

  @Test func fileNamesSayWhichKind() throws {
    let path = NSTemporaryDirectory() + "flows-" + UUID().uuidString
    defer { for ending in [".PNG", ".svg"] { try? FileManager.default.removeItem(atPath: path + ending) } }
    let images = ImageGrid("One", groups: [.init("a", Tensor([0, 1], shape: [1, 1, 2]))])
    try images.write(to: path + ".PNG")
    #expect(Array(try Data(contentsOf: URL(filePath: path + ".PNG"))) == images.png)
    try images.write(to: path + ".svg")
    #expect(try String(contentsOfFile: path + ".svg", encoding: .utf8) == images.svg)
    let message = "expected a name that ends in .svg: this picture is made of lines and text, not of pixels"
    #expect(throws: FlowError.file(path: "loss.png", row: nil, column: nil, message: message)) {
      try LineChart("Loss", series: []).write(to: "loss.png")
    }
  }

  /// A file's chunks by name, with their checksums checked.
  private func chunks(of bytes: [UInt8]) throws -> [String: [UInt8]] {
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
    return chunks
  }

  /// The red, green, blue and opacity of every pixel: filters 0 and 2 of eight-bit palettes, all that the
  /// library writes.
  private func decoded(_ bytes: [UInt8]) throws -> (width: Int, height: Int, pixels: [[UInt8]]) {
    let chunks = try chunks(of: bytes)
    let (header, palette) = (try #require(chunks["IHDR"]), try #require(chunks["PLTE"]))
    let (opacity, data) = (try #require(chunks["tRNS"]), try #require(chunks["IDAT"]))
    func size(_ start: Int) -> Int { header[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
    let (width, height) = (size(0), size(4))
    let lines = try inflated(data[2..<data.count - 4])
    #expect(Array(data.suffix(4)) == bigEndian(adler32(lines)) && lines.count == (width + 1) * height)
    var above = [UInt8](repeating: 0, count: width)
    var pixels: [[UInt8]] = []
    for row in 0..<height {
      let line = lines[row * (width + 1)..<(row + 1) * (width + 1)]
      let differs = line.first == 2
      #expect(differs || line.first == 0)
      above = zip(line.dropFirst(), above).map { $0 &+ (differs ? $1 : 0) }
      pixels += above.map { index in
        Array(palette[3 * Int(index)..<3 * Int(index) + 3]) + [opacity[Int(index)]]
      }
    }
    return (width, height, pixels)
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
