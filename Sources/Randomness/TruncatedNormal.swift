import Tensors

extension Key {
  /// Draws standard normal numbers conditioned on an interval, whose bounds may be infinite.
  ///
  /// If both bounds are within ±2, a number is √2 · erfinv(u) for u uniform on [erf(lower/√2),
  /// erf(upper/√2)), clamped to the open interval. It equals `jax.random.truncated_normal` to 1e-6.
  ///
  /// For other bounds that formula is inaccurate; in float32, erf(x) rounds to 1 from x = 5.5 on. So the
  /// logarithm of the distribution function is inverted in double precision, which is accurate in any tail.
  /// The numbers agree with JAX's if those are accurate; u is the midpoint of a step whose lower end JAX
  /// uses.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func truncatedNormal(
    _ shape: Shape, in range: Range<Double> = -2..<2, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    noteDraw("truncatedNormal", shape.count, from: first)
    let bounds = Tensor([range.lowerBound, range.upperBound], dtype: dtype)
    let values: Tensor
    if max(abs(range.lowerBound), abs(range.upperBound)) <= 2 {
      let ends = erf(bounds / 2.0.squareRoot()).doubles
      values = erfinv(unrecordedUniform(shape, ends[0], ends[1], dtype, first)) * 2.0.squareRoot()
    } else {
      let section = NormalSection(lower: range.lowerBound, upper: range.upperBound)
      let halfStep = dtype.epsilon / 2
      let u = unrecordedUniform(shape, 0, 1, dtype, first).doubles
      values = Tensor(u.map { section.quantile($0 + halfStep) }, shape: shape, dtype: dtype)
    }
    return minimum(maximum(values, nextUp(bounds[0])), -nextUp(-bounds[1]))
  }
}

/// Computes the next larger number of the dtype.
private func nextUp(_ scalar: Tensor) -> Tensor {
  scalar.dtype == .float64
    ? Tensor(scalar.item.nextUp, dtype: .float64) : Tensor(Double(Float(scalar.item).nextUp), dtype: .float32)
}
