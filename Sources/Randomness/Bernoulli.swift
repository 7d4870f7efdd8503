import Tensors

extension Key {
  /// Ones with a probability, otherwise zeros: u < probability for u uniform on [0, 1).
  ///
  /// Equals `jax.random.bernoulli(key, probability, shape)` (mode "low") for a probability of this dtype.
  /// Probabilities finer than 2⁻²³ in float32 (2⁻⁵² in float64) are rounded up. A NaN gives zeros.
  ///
  /// - Precondition: a floating-point dtype; `first`, the number of elements skipped, is not negative.
  public func bernoulli(
    _ shape: Shape, probability: Double = 0.5, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    noteDraw("bernoulli", shape.count, from: first)
    return unrecordedUniform(shape, 0, 1, dtype, first) .< probability
  }

  /// Ones with a probability each, otherwise zeros, in the shape and the dtype of the probabilities.
  ///
  /// Equals `jax.random.bernoulli(key, probabilities)` (mode "low"). No derivative flows to the
  /// probabilities.
  ///
  /// - Precondition: a floating-point dtype; `first`, the number of elements skipped, is not negative.
  public func bernoulli(probabilities: Tensor, from first: Int = 0) -> Tensor {
    noteDraw("bernoulli", probabilities.count, from: first)
    return unrecordedUniform(probabilities.shape, 0, 1, probabilities.dtype, first) .< probabilities.detached
  }
}
