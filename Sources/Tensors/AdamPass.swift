import CKernels

/// The numbers of one step of Adam, the same for every leaf.
package struct AdamPass: Sendable {
  private let numbers: ck_adam_numbers

  /// Rate, the decays of both running means, what corrects them for their start at 0, ε, and the decay of the weights.
  package init(
    rate: Double, decay: (mean: Double, square: Double), correction: (mean: Double, square: Double),
    epsilon: Double,
    weightDecay: Double
  ) {
    numbers = ck_adam_numbers(
      rate: rate, mean_decay: decay.mean, square_decay: decay.square, mean_scale: correction.mean,
      square_scale: correction.square, epsilon: epsilon, weight_decay: weightDecay)
  }

  /// The next moments and the step of one leaf, in one pass over its values.
  ///
  /// - Precondition: one shape and dtype.
  package func callAsFunction(
    gradient: Tensor, mean: Tensor, square: Tensor, weight: Tensor
  ) -> (mean: Tensor, square: Tensor, step: Tensor) {
    let (g, m, v, w) = (gradient.storage, mean.storage, square.storage, weight.storage)
    func agrees(_ other: Storage) -> Bool { other.shape == g.shape && other.dtype == g.dtype }
    require(
      agrees(m) && agrees(v) && agrees(w),
      "a gradient of \(g.shape) \(g.dtype) meets moments of \(m.shape) \(m.dtype) and weights of \(w.shape) \(w.dtype)"
    )
    func result() -> Storage { Storage(shape: g.shape, dtype: g.dtype) }
    let (nextMean, nextSquare, step) = (result(), result(), result())
    withUnsafePointer(to: numbers) { numbers in
      ck_adam(
        g.dtype.kernel, numbers, g.count, g.address, m.address, v.address, w.address, nextMean.address,
        nextSquare.address, step.address)
    }
    return (Tensor(nextMean), Tensor(nextSquare), Tensor(step))
  }
}
