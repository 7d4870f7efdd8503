import CKernels
import Tensors

/// The numbers of one step of Adam, the same for every leaf.
///
/// They are the rate, the decays of both running means, ε, the decay of the parameters, and two scales. The
/// scales correct the running means for their start at 0.
typealias AdamPass = ck_adam_numbers

extension AdamPass {
  /// The next moments of one leaf with its step, or with the parameter after it, in one pass over its values.
  ///
  /// - Precondition: one shape and dtype.
  func callAsFunction(
    gradient: Tensor, mean: Tensor, square: Tensor, parameter: Tensor, moves: Bool
  ) -> (mean: Tensor, square: Tensor, result: Tensor) {
    let (g, m, v, w) = (gradient.storage, mean.storage, square.storage, parameter.storage)
    func agrees(_ other: Storage) -> Bool { other.shape == g.shape && other.dtype == g.dtype }
    require(
      agrees(m) && agrees(v) && agrees(w),
      "a gradient of \(g.shape) \(g.dtype) meets moments of \(m.shape) \(m.dtype) and \(v.shape) \(v.dtype) "
        + "and a parameter of \(w.shape) \(w.dtype)")
    let (nextMean, nextSquare, result) = (Storage(like: g), Storage(like: g), Storage(like: g))
    withUnsafePointer(to: self) { numbers in
      ck_adam(
        g.dtype.kernel, numbers, moves, g.count, g.address, m.address, v.address, w.address, nextMean.address,
        nextSquare.address, result.address)
    }
    return (Tensor(nextMean), Tensor(nextSquare), Tensor(result))
  }
}
