import ExampleSupport
import Flows

/// The map from grey levels to real numbers and back.
enum Digits {
  static let pixels = 64
  static let levels = 17.0

  /// Adds uniform noise, v = (pixel + u) / 17, and maps v to the real line by a logit.
  @Sendable static func dequantized(_ key: Key, _ images: Tensor) -> Tensor {
    let v = 0.05 + 0.9 * ((images + key.uniform(images.shape)) / levels)
    return log(v) - log1p(-v)
  }

  /// Inverts the logit and returns grey levels as real numbers in 0...16.
  static func images(from z: Tensor) -> Tensor {
    let v = (sigmoid(z) - 0.05) / 0.9
    return minimum(maximum(v * levels - 0.5, 0), 16)
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
  init(of logPDF: (Tensor) throws -> Tensor, on images: Tensor, keys: [Key]) rethrows {
    var (inLogits, inPixels) = (0.0, 0.0)
    for key in keys {
      let z = Digits.dequantized(key, images)
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
