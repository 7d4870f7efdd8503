import Tensors

extension Key {
  /// Draws Bernoulli numbers: 1 if u < probability for u uniform on [0, 1), else 0.
  ///
  /// Equals `jax.random.bernoulli(key, probability, shape)` (mode "low") for a probability of this dtype.
  /// Probabilities finer than 2⁻²³ in float32 (2⁻⁵² in float64) are rounded up. A NaN gives zeros.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func bernoulli(
    _ shape: Shape, probability: Double = 0.5, dtype: DType = .float32, from first: Int = 0
  ) -> Tensor {
    uniform("bernoulli", shape, 0, 1, dtype, first) .< probability
  }

  /// Draws a Bernoulli number for each probability, in the probabilities' shape and dtype.
  ///
  /// Equals `jax.random.bernoulli(key, probabilities)` (mode "low"). No derivative flows to the
  /// probabilities.
  ///
  /// - Precondition: The dtype is a floating-point type. `first`, the number of skipped elements, is not
  ///   negative.
  public func bernoulli(probabilities: Tensor, from first: Int = 0) -> Tensor {
    uniform("bernoulli", probabilities.shape, 0, 1, probabilities.dtype, first) .< probabilities.detached
  }
}
