import Tensors

extension Key {
  /// Draws standard normal numbers conditioned on an interval, whose bounds may be infinite.
  ///
  /// With both bounds within ±2 they are √2 · erfinv(u) for u uniform on [erf(lower/√2), erf(upper/√2)). A
  /// number that rounding puts on a bound is moved inside. Equals `jax.random.truncated_normal` to 1e-6.
  ///
  /// With a bound beyond ±2 that formula loses its digits: in float32, erf(x) rounds to 1 from x = 5.5 on.
  /// There the logarithm of the distribution function is inverted in double precision, which is right in any
  /// tail. Where JAX is right, its values agree: u is the midpoint of a step whose lower end JAX takes.
  ///
  /// - Precondition: The dtype is a floating-point type, and a finite bound is finite in it. `first`, the
  ///   number of skipped elements, is not negative.
  public func truncatedNormal(
    _ shape: Shape, in range: Range<Double> = -2..<2, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    for bound in [range.lowerBound, range.upperBound] {
      require(
        bound.isInfinite || dtype.rounded(bound).isFinite,
        "truncatedNormal: a finite bound is finite in \(dtype), got \(bound)")
    }
    let bounds = Tensor([range.lowerBound, range.upperBound], dtype: dtype)
    let values: Tensor
    if max(abs(range.lowerBound), abs(range.upperBound)) <= 2 {
      let ends = erf(bounds / 2.0.squareRoot()).doubles
      values = erfinv(uniform("truncatedNormal", shape, ends[0], ends[1], dtype, first)) * 2.0.squareRoot()
    } else {
      let section = NormalSection(lower: range.lowerBound, upper: range.upperBound)
      let halfStep = dtype.epsilon / 2
      let u = uniform("truncatedNormal", shape, 0, 1, dtype, first).doubles
      values = Tensor(u.map { section.quantile($0 + halfStep) }, shape: shape, dtype: dtype)
    }
    let (lower, upper) = (bounds[0].item, bounds[1].item)
    return minimum(maximum(values, dtype.nextUp(lower)), -dtype.nextUp(-upper))
  }
}
