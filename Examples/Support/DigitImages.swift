import Flows

/// The data of the example `digits` as images: 1,797 handwritten digits of 8 x 8 pixels with grey levels
/// 0...16, with a label.
///
/// They are the test part of UCI's "Optical Recognition of Handwritten Digits", as distributed with
/// scikit-learn; licence CC BY 4.0.
public enum DigitImages {
  /// The number of grey levels.
  public static let levels = 17

  /// Splits rows into a training and a test part. The test part has 360 rows, which the key draws.
  public static func split(_ rows: Tensor, _ key: Key) -> (training: Tensor, test: Tensor) {
    let order = key.permutation(rows.rows)
    return (rows.rows(Array(order[360...])), rows.rows(Array(order[..<360])))
  }

  /// Reads the images [rows, 8, 8, 1].
  public static func all() throws -> Tensor {
    let pixels = try CSV.read(exampleFile("digits/digits.csv")).values.sliced(axis: 1, 0..<64)
    return pixels.reshaped(to: [pixels.rows, 8, 8, 1])
  }

  /// Reads the images and splits them.
  public static func load(_ key: Key) throws -> (training: Tensor, test: Tensor) { split(try all(), key) }
}
