import CKernels
import Tensors

extension Key {
  /// Draws uniform numbers on an interval: max(low, fma(u, high − low, low)) for u in [0, 1), in the dtype.
  ///
  /// u has the upper 23 bits (float32) or 52 bits (float64) of a random word, so 0 is possible and 1 is not.
  /// On an interval other than [0, 1), rounding can give `high` itself. Equals `jax.random.uniform` on CPU,
  /// to the bit.
  ///
  /// `first` is the number of skipped elements. Rows a to b of a draw of shape [n, d] are
  /// `uniform([b - a, d], from: a * d)`.
  ///
  /// An interval longer than the greatest number of the dtype is drawn at half its size and doubled.
  ///
  /// - Precondition: The dtype is a floating-point type, the bounds are finite in it, and `first` is not
  ///   negative.
  public func uniform(
    _ shape: Shape, in range: Range<Double> = 0..<1, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    let (low, high) = (range.lowerBound, range.upperBound)
    require(
      max(abs(dtype.rounded(low)), abs(dtype.rounded(high))).isFinite,
      "uniform: bounds are finite in \(dtype), got \(low) and \(high)")
    if dtype.rounded(dtype.rounded(high) - dtype.rounded(low)).isFinite {
      return uniform("uniform", shape, low, high, dtype, first)
    }
    return 2 * uniform("uniform", shape, low / 2, high / 2, dtype, first)
  }

  /// Draws uniform numbers for the draw `name`, under which the recorder notes them.
  ///
  /// `finish` is applied to each block while it is in the cache.
  func uniform(
    _ name: StaticString, _ shape: Shape, _ lower: Double, _ upper: Double, _ dtype: DType, _ first: Int,
    finish: (_ type: ck_type, _ values: UnsafeMutableRawPointer, _ count: Int) -> Void = { _, _, _ in }
  ) -> Tensor {
    if let trace = DrawTrace.current {
      return trace.draw(self, .uniform(lower, upper), shape, dtype, from: first)
    }
    noteDraw(name, shape.count, from: first)
    require(dtype.isFloatingPoint, "a random real number needs a floating-point dtype, got \(dtype)")
    let (values, type, block) = (Storage(shape: shape, dtype: dtype), dtype.kernel, 1024)
    let bytes = min(values.count, block) * dtype.byteCount
    withUnsafeTemporaryAllocation(byteCount: bytes, alignment: 8) { words in
      for start in stride(from: 0, to: values.count, by: block) {
        let (count, counter) = (min(block, values.count - start), UInt64(first + start))
        if dtype == .float64 {
          ck_threefry_bits64(high, low, counter, count, words.bindMemory(to: UInt64.self).baseAddress)
        } else {
          ck_threefry_bits32(high, low, counter, count, words.bindMemory(to: UInt32.self).baseAddress)
        }
        ck_uniform(type, words.baseAddress, count, lower, upper, values.address(start))
        finish(type, values.address(start), count)
      }
    }
    return Tensor(values)
  }
}
