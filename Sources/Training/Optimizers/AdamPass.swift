import CKernels
import Tensors

/// The numbers of one step of Adam, the same for every leaf.
struct AdamPass: Sendable {
  private let numbers: ck_adam_numbers

  /// A step with a rate, the decays of both running means, the factors that correct them for their start at
  /// 0, ε, and the decay of the parameters.
  init(
    rate: Double, decay: (mean: Double, square: Double), correction: (mean: Double, square: Double),
    epsilon: Double, weightDecay: Double
  ) {
    numbers = ck_adam_numbers(
      rate: rate, mean_decay: decay.mean, square_decay: decay.square, mean_scale: correction.mean,
      square_scale: correction.square, epsilon: epsilon, weight_decay: weightDecay)
  }

  /// The next moments and the step of one leaf, in one pass over its values.
  ///
  /// - Precondition: one shape and dtype.
  func callAsFunction(
    gradient: Tensor, mean: Tensor, square: Tensor, parameter: Tensor
  ) -> (mean: Tensor, square: Tensor, step: Tensor) {
    let (g, m, v, w) = (gradient.storage, mean.storage, square.storage, parameter.storage)
    func agrees(_ other: Storage) -> Bool { other.shape == g.shape && other.dtype == g.dtype }
    require(
      agrees(m) && agrees(v) && agrees(w),
      "a gradient of \(g.shape) \(g.dtype) meets moments of \(m.shape) \(m.dtype) and \(v.shape) \(v.dtype) "
        + "and a parameter of \(w.shape) \(w.dtype)")
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
