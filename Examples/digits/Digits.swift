import ExampleSupport
import Flows

/// Images of digits with their labels, and the map from grey levels to real numbers and back.
struct Digits {
  static let pixels = 64
  static let levels = 17.0

  /// The grey levels 0...16, shape [count, 64].
  let images: Tensor
  /// The digits 0...9.
  let labels: [Int]

  /// Makes digits from images and labels.
  init(images: Tensor, labels: [Int]) { (self.images, self.labels) = (images, labels) }

  /// Splits rows of a table into pixels and the label.
  init(_ rows: Tensor) {
    images = rows.sliced(axis: 1, 0..<Self.pixels)
    labels = rows.sliced(axis: 1, Self.pixels..<Self.pixels + 1).doubles.map { Int($0) }
  }

  /// The number of images.
  var count: Int { labels.count }

  /// The labels as contexts of a flow.
  var context: Tensor { Self.context(labels) }

  /// The share of a label.
  func frequency(of label: Int) -> Double { Double(labels.count { $0 == label }) / Double(count) }

  /// The first ten images of each digit, shape [100, 8, 8].
  var firstTenOfEach: Tensor {
    let rows = (0..<10).flatMap { label in labels.indices.filter { labels[$0] == label }.prefix(10) }
    return images.rows(rows).reshaped(to: [rows.count, 8, 8])
  }

  /// One-hot labels. A hot label is 10, so that small weights are enough and weight decay hardly hides it.
  static func context(_ labels: [Int]) -> Tensor { (10 * Tensor.identity(10)).rows(labels) }

  /// Adds uniform noise, v = (pixel + u) / 17, and maps v to the real line by a logit.
  @Sendable static func dequantized(_ key: Key, _ images: Tensor) -> Tensor {
    let v = 0.05 + 0.9 * ((images + key.uniform(images.shape)) / levels)
    return log(v) - log1p(-v)
  }

  /// Inverts the logit and rounds down to grey levels.
  static func images(from z: Tensor) -> Tensor {
    let v = (sigmoid(z) - 0.05) / 0.9
    return minimum(maximum(floor(v * levels), 0), 16)
  }

  /// log|dz/dv| per row: the term that turns a log-density of z into one of v.
  static func logDerivative(at z: Tensor) -> Tensor {
    (softplus(z) + softplus(-z) + log(Tensor(0.9))).sumPerRow()
  }
}

/// A mean negative log-likelihood in the two usual units.
struct Score: CustomStringConvertible {
  /// The value in nats per image, in logit space.
  let nats: Double
  /// The value in bits per pixel of the grey levels.
  let bitsPerPixel: Double

  /// Averages over rows and dequantization keys.
  init(on digits: Digits, keys: [Key], _ logPDF: (Tensor) throws -> Tensor) rethrows {
    var (inLogits, inPixels) = (0.0, 0.0)
    for key in keys {
      let z = Digits.dequantized(key, digits.images)
      let logDensity = try logPDF(z).cast(to: .float64)
      inLogits -= logDensity.mean().item / Double(keys.count)
      inPixels -=
        (logDensity + Digits.logDerivative(at: z).cast(to: .float64)).mean().item / Double(keys.count)
    }
    nats = inLogits
    // This is NLL(v) / (64 ln 2) for v in [0, 1), plus log2 17 for the density of grey levels.
    bitsPerPixel = inPixels / (Double(Digits.pixels) * 0.69314718055994531) + 4.08746284125034
  }

  var description: String { "\(decimals(nats, 2)) nats, \(decimals(bitsPerPixel, 3)) bits per dimension" }
}
