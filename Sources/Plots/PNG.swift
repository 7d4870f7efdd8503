import Files
import Tensors

/// An image with a palette of 256 colours, encoded as PNG (ISO/IEC 15948).
///
/// The last entry of the palette is transparent and marks missing values.
struct PNG {
  let width, height: Int
  /// The palette index of each pixel, in row-major order from the top.
  let indices: [UInt8]
  let colors: ColorMap

  /// The palette index of a missing value.
  static let transparent: UInt8 = 255

  /// Colours numbers by their position in a range; NaN and infinities are transparent.
  ///
  /// - Precondition: There are `width * height` values.
  init(_ values: [Double], width: Int, height: Int, range: ClosedRange<Double>, colors: ColorMap) {
    require(values.count == width * height, "\(width) x \(height) pixels, got \(values.count) values")
    (self.width, self.height, self.colors) = (width, height, colors)
    let scale = 1 / (range.upperBound - range.lowerBound)
    indices = values.map { value in
      guard value.isFinite else { return PNG.transparent }
      let fraction = (value - range.lowerBound) * scale
      return fraction > 0 ? UInt8((min(fraction, 1) * 254).rounded()) : 0
    }
  }

  /// The image with every pixel enlarged to `scale` x `scale` pixels.
  ///
  /// - Precondition: `scale` is positive.
  func enlarged(_ scale: Int) -> PNG {
    let rows = (0..<height).map { row in
      indices[row * width..<(row + 1) * width].flatMap { repeatElement($0, count: scale) }
    }
    let enlarged = rows.flatMap { row in (0..<scale).flatMap { _ in row } }
    return PNG(width: width * scale, height: height * scale, indices: enlarged, colors: colors)
  }

  private init(width: Int, height: Int, indices: [UInt8], colors: ColorMap) {
    (self.width, self.height, self.indices, self.colors) = (width, height, indices, colors)
  }

  /// The bytes of the PNG file.
  var bytes: [UInt8] {
    let palette = (0..<255).flatMap { index -> [UInt8] in
      let (red, green, blue) = colors.rgb(at: Double(index) / 254)
      return [red, green, blue]
    }
    let header = bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 3, 0, 0, 0]
    let opacity = [UInt8](repeating: 255, count: 255) + [0]
    // Plain rows compress well in flat images, differences from the row above in smooth ones. The smaller is
    // kept.
    let plain = zlibCompressed(scanlines(differencing: false))
    let differences = zlibCompressed(scanlines(differencing: true))
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      + chunk("IHDR", header) + chunk("PLTE", palette + [0, 0, 0]) + chunk("tRNS", opacity)
      + chunk("IDAT", plain.count <= differences.count ? plain : differences) + chunk("IEND", [])
  }

  /// The rows with PNG's filter byte before each: 0 for plain rows, 2 for differences from the row above.
  private func scanlines(differencing: Bool) -> [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity((width + 1) * height)
    for row in 0..<height {
      lines.append(differencing ? 2 : 0)
      for pixel in row * width..<(row + 1) * width {
        lines.append(indices[pixel] &- (differencing && row > 0 ? indices[pixel - width] : 0))
      }
    }
    return lines
  }

  private func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
  }
}

/// The four bytes of a number, most significant first.
func bigEndian(_ number: UInt32) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
}
