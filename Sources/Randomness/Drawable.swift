import CKernels
import Tensors

/// A floating-point type for draws: its kernels and its tensors.
protocol Drawable: BinaryFloatingPoint {
  associatedtype Word

  /// Writes elements `first` to `first + count - 1` of the key's stream of words as wide as the type.
  static func words(_ key: Key, from first: UInt64, _ count: Int, into words: UnsafeMutablePointer<Word>)

  /// Writes max(low, fma(u, high - low, low)) with u in [0, 1) from each word.
  static func uniform(
    _ words: UnsafePointer<Word>, _ count: Int, low: Self, high: Self, into values: UnsafeMutablePointer<Self>
  )

  /// Replaces each value by factor * erfinv(value).
  static func scaledErfinv(_ factor: Self, _ values: UnsafeMutablePointer<Self>, _ count: Int)

  static func tensor(_ shape: Shape, filling fill: (UnsafeMutablePointer<Self>) -> Void) -> Tensor
}

extension Float: Drawable {
  static func words(_ key: Key, from first: UInt64, _ count: Int, into words: UnsafeMutablePointer<UInt32>) {
    ck_threefry_bits32(key.high, key.low, first, count, words)
  }

  static func uniform(
    _ words: UnsafePointer<UInt32>, _ count: Int, low: Float, high: Float,
    into values: UnsafeMutablePointer<Float>
  ) {
    ck_uniform_f32(words, count, low, high, values)
  }

  static func scaledErfinv(_ factor: Float, _ values: UnsafeMutablePointer<Float>, _ count: Int) {
    var factor = factor
    ck_unary_f32(CK_ERFINV, values, values, count)
    ck_binary_f32(CK_MULTIPLY, values, 1, &factor, 0, values, count)
  }

  static func tensor(_ shape: Shape, filling fill: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
    Tensor(shape: shape, fillingFloats: fill)
  }
}

extension Double: Drawable {
  static func words(_ key: Key, from first: UInt64, _ count: Int, into words: UnsafeMutablePointer<UInt64>) {
    ck_threefry_bits64(key.high, key.low, first, count, words)
  }

  static func uniform(
    _ words: UnsafePointer<UInt64>, _ count: Int, low: Double, high: Double,
    into values: UnsafeMutablePointer<Double>
  ) {
    ck_uniform_f64(words, count, low, high, values)
  }

  static func scaledErfinv(_ factor: Double, _ values: UnsafeMutablePointer<Double>, _ count: Int) {
    var factor = factor
    ck_unary_f64(CK_ERFINV, values, values, count)
    ck_binary_f64(CK_MULTIPLY, values, 1, &factor, 0, values, count)
  }

  static func tensor(_ shape: Shape, filling fill: (UnsafeMutablePointer<Double>) -> Void) -> Tensor {
    Tensor(shape: shape, fillingDoubles: fill)
  }
}

extension Key {
  /// Draws uniform numbers on [low, high) and passes each block to `finish` while it is in the cache.
  func uniforms<Scalar: Drawable>(
    _ shape: Shape, low: Scalar, high: Scalar, from first: Int,
    finish: (UnsafeMutablePointer<Scalar>, Int) -> Void = { _, _ in }
  ) -> Tensor {
    let (count, block) = (shape.count, 1024)
    return Scalar.tensor(shape) { values in
      withUnsafeTemporaryAllocation(of: Scalar.Word.self, capacity: min(count, block)) { scratch in
        guard let words = scratch.baseAddress else { return }
        for start in stride(from: 0, to: count, by: block) {
          let length = min(block, count - start)
          Scalar.words(self, from: UInt64(first + start), length, into: words)
          Scalar.uniform(words, length, low: low, high: high, into: values + start)
          finish(values + start, length)
        }
      }
    }
  }
}
