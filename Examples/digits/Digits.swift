import ExampleSupport
import Flows
import Foundation

/// The real 8x8 handwritten digits and their way to the real line.
///
/// `digits.csv`: UCI "Optical Recognition of Handwritten Digits", test part, as distributed with scikit-learn; 1,797 rows of
/// 64 whole numbers 0..16; licence CC BY 4.0.
enum Digits {
  static let pixels = 64
  static let levels = 17.0

  /// The images, [1797, 64], values 0...16.
  static func load() throws -> Tensor {
    guard let path = Bundle.module.path(forResource: "digits", ofType: "csv") else {
      throw FlowError.file(path: "digits.csv", row: nil, column: nil, message: "not found beside the program")
    }
    return try CSV.read(path).values
  }

  /// Uniform noise fills each grey level's bin, v = (pixel + u) / 17, and a logit takes v to the real line.
  @Sendable static func dequantized(_ key: Key, _ images: Tensor) -> Tensor {
    let v = 0.05 + 0.9 * ((images + key.uniform(images.shape)) / levels)
    return log(v) - log1p(-v)
  }

  /// Grey levels again, 0...16 in real numbers.
  static func images(from z: Tensor) -> Tensor {
    let v = (sigmoid(z) - 0.05) / 0.9
    return minimum(maximum(v * levels - 0.5, 0), 16)
  }

  /// log|dz/dv| of each row: what a density in z has to be multiplied by to be one of v.
  static func logDerivative(at z: Tensor) -> Tensor {
    (softplus(z) + softplus(-z) + log(Tensor(0.9))).sumPerRow()
  }
}

/// A mean negative log-likelihood in the two units that people compare.
struct Score: CustomStringConvertible {
  /// Nats an image, in logit space.
  let nats: Double
  /// Bits a pixel, of the grey levels.
  let bitsPerPixel: Double

  /// Averages over dequantization keys.
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
    // NLL(v) / (64 ln 2) bits a dimension for v in [0, 1), and log2 17 to count levels instead.
    bitsPerPixel = inPixels / (Double(Digits.pixels) * 0.69314718055994531) + 4.08746284125034
  }

  var description: String { "\(decimals(nats, 2)) nats, \(decimals(bitsPerPixel, 3)) bits per dimension" }
}
