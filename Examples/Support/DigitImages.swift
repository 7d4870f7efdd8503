import Flows
import Foundation

/// The real 8x8 handwritten digits of the `digits` example as images.
///
/// UCI "Optical Recognition of Handwritten Digits", test part, as distributed with scikit-learn; 1,797 images, grey levels
/// 0...16; licence CC BY 4.0.
public enum DigitImages {
  /// How many grey levels there are.
  public static let levels = 17

  /// The images [1797, 8, 8, 1], split as the `digits` example splits them for a seed's key: 360 are held out.
  public static func load(_ key: Key) throws -> (training: Tensor, test: Tensor) {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../digits/digits.csv")
    let images = try CSV.read(file.standardized.path).values
    let order = key.permutation(images.rows)
    func part(_ rows: ArraySlice<Int>) -> Tensor {
      images.rows(Array(rows)).reshaped(to: [rows.count, 8, 8, 1])
    }
    return (part(order[360...]), part(order[..<360]))
  }
}
