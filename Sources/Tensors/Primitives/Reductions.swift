import CKernels

/// The sum over a range of neighbouring axes, which keep size 1.
struct Sum: LinearPrimitive {
  let axes: Range<Int>

  func value(_ x: Storage) -> Storage { reduced(x, over: axes, rows: ck_sum_rows, columns: ck_sum_columns) }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { g.broadcast(to: x.shape) }
}

/// The largest element over a range of neighbouring axes, which keep size 1.
///
/// Equal largest elements share the derivative.
struct Largest: Primitive {
  let axes: Range<Int>

  func value(_ inputs: Operands) -> Operands {
    Operands(Tensor(reduced(inputs.storage(0), over: axes, rows: ck_max_rows, columns: ck_max_columns)))
  }
  private func share(_ x: Tensor, _ y: Tensor) -> Tensor {
    let isLargest = (x .== y).detached
    return isLargest / isLargest.sum(over: axes)
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands((tangents[0] * share(inputs[0], outputs[0])).sum(over: axes))
  }
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    Operands(g[0] * share(inputs[0], outputs[0]))
  }
}

/// The running sums along the last axis.
struct CumulativeSum: LinearPrimitive {
  let isReversed: Bool

  func value(_ x: Storage) -> Storage {
    let (y, columns) = (Storage(like: x), x.shape[-1])
    let rows = columns == 0 ? 0 : x.count / columns
    ck_cumsum_rows(x.dtype.kernel, x.address, rows, columns, isReversed, y.address)
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { CumulativeSum(isReversed: !isReversed)(g) }
}

private typealias Reduction = (ck_type, UnsafeRawPointer?, Int, Int, UnsafeMutableRawPointer?) -> Void

/// Reduces x, seen as [outer, length, inner], by rows where `inner` is 1 and by columns elsewhere.
private func reduced(_ x: Storage, over axes: Range<Int>, rows: Reduction, columns: Reduction) -> Storage {
  var shape = x.shape
  for axis in axes { shape[axis] = 1 }
  let (y, type) = (Storage(shape: shape, dtype: x.dtype), x.dtype.kernel)
  let outer = x.shape.count(of: 0..<axes.lowerBound)
  let length = x.shape.count(of: axes)
  let inner = x.shape.count(of: axes.upperBound..<x.shape.rank)
  if inner == 1 {
    rows(type, x.address, outer, length, y.address)
  } else {
    for i in 0..<outer { columns(type, x.address(i * length * inner), length, inner, y.address(i * inner)) }
  }
  return y
}

extension Tensor {
  /// The sum over a range of axes, which keep size 1.
  func sum(over axes: Range<Int>) -> Tensor { axes.isEmpty ? self : Sum(axes: axes)(self) }

  private func dropping(_ axis: Int, unless keepDims: Bool) -> Tensor {
    keepDims ? self : reshaped(to: shape.removing(axis))
  }

  /// The sum of all elements, rank 0. Its order depends on the number of elements alone.
  public func sum() -> Tensor { sum(over: 0..<rank).reshaped(to: .scalar) }

  /// The sum along an axis.
  ///
  /// - Precondition: the axis exists.
  public func sum(axis: Int, keepDims: Bool = false) -> Tensor {
    let axis = shape.resolved(axis)
    return sum(over: axis..<axis + 1).dropping(axis, unless: keepDims)
  }

  /// The sum over all axes but the batch: `[batch]`.
  public func sumPerRow() -> Tensor { sum(over: 1..<rank).reshaped(to: [rows]) }

  /// The mean of all elements, rank 0; NaN if there are none.
  public func mean() -> Tensor { sum() / Double(count) }

  /// The mean along an axis.
  public func mean(axis: Int, keepDims: Bool = false) -> Tensor {
    sum(axis: axis, keepDims: keepDims) / Double(shape[axis])
  }

  /// The standard deviation along an axis: the root of the mean squared distance from the mean, as NumPy's.
  public func standardDeviation(axis: Int, keepDims: Bool = false) -> Tensor {
    sqrt(square(self - mean(axis: axis, keepDims: true)).mean(axis: axis, keepDims: keepDims))
  }

  /// The standard deviation of all elements, rank 0: the root of the mean squared distance from the mean.
  public func standardDeviation() -> Tensor { sqrt(square(self - mean()).mean()) }

  /// The largest of all elements, rank 0; −∞ if there are none. Equal largest elements share the derivative.
  public func max() -> Tensor { reshaped(to: [count]).max(axis: 0) }

  /// The smallest of all elements, rank 0; ∞ if there are none.
  public func min() -> Tensor { -(-self).max() }

  /// The largest element along an axis. Equal largest elements share the derivative.
  public func max(axis: Int, keepDims: Bool = false) -> Tensor {
    let axis = shape.resolved(axis)
    return Largest(axes: axis..<axis + 1)(self).dropping(axis, unless: keepDims)
  }

  /// The smallest element along an axis.
  public func min(axis: Int, keepDims: Bool = false) -> Tensor {
    -(-self).max(axis: axis, keepDims: keepDims)
  }

  /// log Σ eˣ along an axis, computed relative to the largest element; −∞ if all elements are −∞.
  public func logSumExp(axis: Int, keepDims: Bool = false) -> Tensor {
    let axis = shape.resolved(axis)
    let shift = finiteMax(axis: axis)
    return (log(exp(self - shift).sum(axis: axis, keepDims: true)) + shift).dropping(axis, unless: keepDims)
  }

  /// eˣ / Σ eˣ along an axis.
  ///
  /// The largest element is subtracted first. Adding it back would lose digits of the logarithm of the sum.
  public func softmax(axis: Int) -> Tensor {
    let powers = exp(self - finiteMax(axis: axis))
    return powers / powers.sum(axis: axis, keepDims: true)
  }

  /// x − log Σ eˣ along an axis.
  public func logSoftmax(axis: Int) -> Tensor {
    let shifted = self - finiteMax(axis: axis)
    return shifted - log(exp(shifted).sum(axis: axis, keepDims: true))
  }

  /// The largest element along an axis as a constant; 0 where it is not finite.
  private func finiteMax(axis: Int) -> Tensor {
    let largest = detached.max(axis: axis, keepDims: true)
    return select(where: abs(largest) .< .infinity, largest, 0)
  }

  /// The running sums along an axis.
  public func cumulativeSum(axis: Int) -> Tensor {
    let axis = shape.resolved(axis)
    if axis == rank - 1 { return CumulativeSum(isReversed: false)(self) }
    return swappingAxes(axis, -1).cumulativeSum(axis: -1).swappingAxes(axis, -1)
  }
}
