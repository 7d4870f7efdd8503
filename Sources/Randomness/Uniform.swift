import Tensors

extension Key {
  /// Draws uniform numbers on an interval, max(low, fma(u, high − low, low)) for u in [0, 1).
  ///
  /// u has the upper 23 bits (float32) or 52 bits (float64) of a random word, so 0 is possible and 1 is not.
  /// On an interval other than [0, 1), rounding can give `high` itself. Equals `jax.random.uniform` on CPU to
  /// the bit.
  ///
  /// `first` is the number of skipped elements. Rows a to b of a draw of shape [n, d] are
  /// `uniform([b - a, d], from: a * d)`.
  ///
  /// - Precondition: The dtype is a floating-point type, and `first` is not negative.
  public func uniform(
    _ shape: Shape, in range: Range<Double> = 0..<1, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    noteDraw("uniform", shape.count, from: first)
    return unrecordedUniform(shape, range.lowerBound, range.upperBound, dtype, first)
  }

  func unrecordedUniform(_ shape: Shape, _ low: Double, _ high: Double, _ dtype: DType, _ first: Int)
    -> Tensor
  {
    require(dtype.isFloatingPoint, "a random real number needs a floating-point dtype, got \(dtype)")
    return dtype == .float64
      ? uniforms(shape, low: low, high: high, from: first)
      : uniforms(shape, low: Float(low), high: Float(high), from: first)
  }
}
