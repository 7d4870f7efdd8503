import Tensors

extension Key {
  /// Draws categories with probabilities softmax(logits) along the last axis, by the argmax of logits +
  /// Gumbel noise.
  ///
  /// Logits of shape [..., k] give int32 indices of shape [...], or [count, ...] with a `count`. Logits need
  /// no normalization. A logit of −∞ has probability 0. If a logit is NaN, its index is drawn.
  ///
  /// Equals `jax.random.categorical(key, logits, shape=...)` unless the two largest perturbed logits are
  /// within 1e-5. As in JAX, float32 is inaccurate for categories with a probability below about 1e-7.
  ///
  /// `first` is the number of skipped rows. Rows a to b of n are
  /// `categorical(logits:, count: b - a, from: a)`.
  ///
  /// - Precondition: The dtype is a floating-point type, there is a category, and `count` and `first` are not
  ///   negative.
  public func categorical(logits: Tensor, count: Int? = nil, from first: Int = 0) -> Tensor {
    let logits = logits.detached
    require(
      logits.rank > 0 && logits.shape[-1] > 0, "categorical: needs a category, got shape \(logits.shape)")
    let shape = count.map { logits.shape.batched($0) } ?? logits.shape
    let skipped = first * logits.count
    noteDraw("categorical", shape.count, from: skipped)
    let perturbed = unrecordedGumbel(shape, logits.dtype, skipped) + logits
    let indices =
      logits.dtype == .float64
      ? indicesOfLargest(perturbed.doubles, rowLength: shape[-1])
      : indicesOfLargest(perturbed.floats, rowLength: shape[-1])
    return Tensor(ints: indices, shape: shape.removing(-1))
  }
}

/// The position of the first largest value in each row, or of the first NaN if there is one.
private func indicesOfLargest<Scalar: BinaryFloatingPoint>(_ values: [Scalar], rowLength: Int) -> [Int] {
  stride(from: 0, to: values.count, by: rowLength).map { start in
    var best = start
    for i in start..<start + rowLength where !(values[i] <= values[best]) && !values[best].isNaN { best = i }
    return best - start
  }
}
