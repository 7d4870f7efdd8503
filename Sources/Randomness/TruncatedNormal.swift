import Tensors

extension Key {
  /// Standard normal numbers given that they fall between two bounds, which may be infinite.
  ///
  /// With both bounds within ±2: √2 · erfinv(u) for u uniform on [erf(lower/√2), erf(upper/√2)), moved inside the open
  /// interval if rounding leaves it. Equals `jax.random.truncated_normal` to 1e-6.
  ///
  /// With a bound beyond, that formula runs out of digits (erf(x) rounds to 1 from x = 5.5 on, in float32): the
  /// distribution function is inverted in double precision by way of its logarithm instead, which is right in any tail.
  /// Values are then JAX's where JAX's are right: u is the midpoint of the step that JAX has the lower end of.
  ///
  /// - Precondition: a floating-point dtype; `first`, the number of elements skipped, is not negative.
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

/// The next larger number of the dtype.
private func nextUp(_ scalar: Tensor) -> Tensor {
  scalar.dtype == .float64
    ? Tensor(scalar.item.nextUp, dtype: .float64) : Tensor(Double(Float(scalar.item).nextUp), dtype: .float32)
}
