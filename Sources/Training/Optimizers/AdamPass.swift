import CKernels
import Tensors

/// The numbers of one step of Adam, the same for every leaf.
///
/// They are the rate, the decays of both running means, ε, the decay of the parameters, and two scales. The
/// scales correct the running means for their start at 0.
typealias AdamPass = ck_adam_numbers

extension AdamPass {
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
    let (nextMean, nextSquare, step) = (Storage(like: g), Storage(like: g), Storage(like: g))
    withUnsafePointer(to: self) { numbers in
      ck_adam(
        g.dtype.kernel, numbers, g.count, g.address, m.address, v.address, w.address, nextMean.address,
        nextSquare.address, step.address)
    }
    return (Tensor(nextMean), Tensor(nextSquare), Tensor(step))
  }
}
