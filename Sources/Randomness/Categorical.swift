import Tensors

extension Key {
  /// Draws categories with probabilities softmax(logits) along the last axis.
  ///
  /// A category is the argmax of logits + Gumbel noise.
  ///
  /// Logits of shape [..., k] give int32 indices of shape [...], or [count, ...] if there is a `count`.
  /// Logits need not be normalized. A category with logit −∞ has probability 0. If a logit is NaN, its index
  /// is drawn.
  ///
  /// Equals `jax.random.categorical(key, logits, shape=...)` unless the two best perturbed logits are within
  /// 1e-5. In float32, categories of a probability below about 1e-7 are drawn inaccurately, as in JAX.
  ///
  /// `first` skips that many of the `count` rows: rows a to b of n are `categorical(logits:, count: b - a,
  /// from: a)`.
  ///
  /// - Precondition: The dtype is a floating-point type, there is a category, and `count` and `first` are not
  ///   negative.
  public func categorical(logits: Tensor, count: Int? = nil, from first: Int = 0) -> Tensor {
    let logits = logits.detached
    require(
      logits.rank > 0 && logits.shape[-1] > 0, "categorical: needs a category, got shape \(logits.shape)")
    let shape = count.map { logits.shape.batched($0) } ?? logits.shape
    let perturbed = gumbel("categorical", shape, logits.dtype, first * logits.count) + logits
    return Tensor(ints: indicesOfLargest(perturbed.doubles, rowLength: shape[-1]), shape: shape.removing(-1))
  }
}

/// The position of the first largest value of each row, or of its first NaN if there is one.
private func indicesOfLargest(_ values: [Double], rowLength: Int) -> [Int] {
  stride(from: 0, to: values.count, by: rowLength).map { start in
    var best = start
    for i in start..<start + rowLength where !(values[i] <= values[best]) && !values[best].isNaN { best = i }
    return best - start
  }
}
