import Tensors

/// Many images of one size in a single one, laid out in rows with an empty pixel between neighbours.
struct Mosaic {
  /// The pixels in row-major order; NaN marks an empty one.
  let pixels: [Double]
  let width, height: Double

  /// The size of a pixel with which the longer side fits, a whole number unless the mosaic is large.
  func scale(fitting side: Double) -> Double {
    let scale = side / max(width, height, 1)
    return scale >= 1 ? scale.rounded(.down) : scale
  }

  /// The mosaic's pixels in the colours of a map.
  func png(range: ClosedRange<Double>, colors: ColorMap) -> PNG {
    PNG(pixels, width: Int(width), height: Int(height), range: range, colors: colors)
  }

  /// Lays out images of shape [count, height, width]; by default about as many rows as columns.
  init(_ images: Tensor, columns wanted: Int?) {
    let (count, height, width) = (images.shape[0], images.shape[1], images.shape[2])
    guard images.count > 0 else {
      (pixels, self.width, self.height) = ([], 0, 0)
      return
    }
    let columns = min(wanted ?? (1...count).first { $0 * $0 >= count } ?? 1, count)
    let rows = (count + columns - 1) / columns
    let (across, down) = (columns * (width + 1) - 1, rows * (height + 1) - 1)
    let values = images.doubles
    var pixels = [Double](repeating: .nan, count: across * down)
    for image in 0..<count {
      let corner = image / columns * (height + 1) * across + image % columns * (width + 1)
      for row in 0..<height {
        for column in 0..<width {
          pixels[corner + row * across + column] = values[(image * height + row) * width + column]
        }
      }
    }
    self.pixels = pixels
    (self.width, self.height) = (Double(across), Double(down))
  }

  /// Joins mosaics from left to right with empty columns between them. Without any, the result is one empty
  /// pixel.
  init(beside mosaics: [Mosaic], gap: Int) {
    let shown = mosaics.filter { !$0.pixels.isEmpty }
    let across = max(1, shown.reduce(-gap) { $0 + Int($1.width) + gap })
    let down = max(1, Int(shown.map(\.height).max() ?? 1))
    var pixels = [Double](repeating: .nan, count: across * down)
    var left = 0
    for mosaic in shown {
      let width = Int(mosaic.width)
      for row in 0..<Int(mosaic.height) {
        pixels.replaceSubrange(
          row * across + left..<row * across + left + width,
          with: mosaic.pixels[row * width..<(row + 1) * width])
      }
      left += width + gap
    }
    (self.pixels, width, height) = (pixels, Double(across), Double(down))
  }
}
