import CKernels

/// The sum over a range of neighbouring axes, kept as size 1.
struct Sum: Primitive {
  let axes: Range<Int>

  func value(_ inputs: Operands) -> Operands {
    Operands(
      reduced(
        inputs.storage(0), over: axes, rows: (ck_sum_rows_f32, ck_sum_rows_f64),
        columns: (ck_sum_columns_f32, ck_sum_columns_f64)))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(Sum(axes: axes)(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(cotangents[0].broadcast(to: inputs[0].shape))
  }
}

/// The largest element over a range of neighbouring axes, kept as size 1. Equal largest ones share the derivative.
struct Largest: Primitive {
  let axes: Range<Int>

  func value(_ inputs: Operands) -> Operands {
    Operands(
      reduced(
        inputs.storage(0), over: axes, rows: (ck_max_rows_f32, ck_max_rows_f64),
        columns: (ck_max_columns_f32, ck_max_columns_f64)))
  }
  private func share(_ x: Tensor, _ y: Tensor) -> Tensor {
    let isLargest = (x .== y).detached
    return isLargest / isLargest.sum(over: axes)
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands((tangents[0] * share(inputs[0], outputs[0])).sum(over: axes))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(cotangents[0] * share(inputs[0], outputs[0]))
  }
}

/// Running sums along an axis, which is the last.
struct CumulativeSum: Primitive {
  let isReversed: Bool

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let y = Storage(shape: x.shape, dtype: x.dtype)
    let columns = x.shape[-1]
    let rows = columns == 0 ? 0 : x.count / columns
    switch x.dtype {
    case .float32: ck_cumsum_rows_f32(x.floats, rows, columns, isReversed, y.floats)
    case .float64: ck_cumsum_rows_f64(x.doubles, rows, columns, isReversed, y.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(CumulativeSum(isReversed: isReversed)(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(CumulativeSum(isReversed: !isReversed)(cotangents[0]))
  }
}

private typealias Reduction<Element> = (UnsafePointer<Element>?, Int, Int, UnsafeMutablePointer<Element>?) ->
  Void

/// Seen as [outer, length, inner]: rows where nothing lies behind the reduced axes, columns elsewhere.
private func reduced(
  _ x: Storage, over axes: Range<Int>, rows: (Reduction<Float>, Reduction<Double>),
  columns: (Reduction<Float>, Reduction<Double>)
) -> Tensor {
  var shape = x.shape
  for axis in axes { shape[axis] = 1 }
  let y = Storage(shape: shape, dtype: x.dtype)
  let outer = x.shape.count(of: 0..<axes.lowerBound)
  let length = x.shape.count(of: axes)
  let inner = x.shape.count(of: axes.upperBound..<x.shape.rank)
  switch x.dtype {
  case .float32:
    if inner == 1 {
      rows.0(x.floats, outer, length, y.floats)
    } else {
      for i in 0..<outer { columns.0(x.floats + i * length * inner, length, inner, y.floats + i * inner) }
    }
  case .float64:
    if inner == 1 {
      rows.1(x.doubles, outer, length, y.doubles)
    } else {
      for i in 0..<outer { columns.1(x.doubles + i * length * inner, length, inner, y.doubles + i * inner) }
    }
  case .int32: fatalError("int32 tensors are indices: no arithmetic")
  }
  return Tensor(y)
}

extension Tensor {
  /// The sum over a range of axes, kept as size 1.
  func sum(over axes: Range<Int>) -> Tensor { axes.isEmpty ? self : Sum(axes: axes)(self) }

  private func dropping(_ axis: Int, unless keepDims: Bool) -> Tensor {
    keepDims ? self : reshaped(to: shape.removing(axis))
  }

  /// The sum of all elements, rank 0. Its order depends on the count alone.
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

  /// The largest element along an axis; equal largest ones share the derivative.
  public func max(axis: Int, keepDims: Bool = false) -> Tensor {
    let axis = shape.resolved(axis)
    return Largest(axes: axis..<axis + 1)(self).dropping(axis, unless: keepDims)
  }

  /// The smallest element along an axis.
  public func min(axis: Int, keepDims: Bool = false) -> Tensor {
    -(-self).max(axis: axis, keepDims: keepDims)
  }

  /// log Σ eˣ along an axis, shifted by the largest element; −∞ where all are.
  public func logSumExp(axis: Int, keepDims: Bool = false) -> Tensor {
    let axis = shape.resolved(axis)
    let shift = finiteMax(axis: axis)
    return (log(exp(self - shift).sum(axis: axis, keepDims: true)) + shift).dropping(axis, unless: keepDims)
  }

  /// eˣ / Σ eˣ along an axis.
  ///
  /// The largest element is taken off first: added back, it would swallow the digits of the sum's logarithm.
  public func softmax(axis: Int) -> Tensor {
    let powers = exp(self - finiteMax(axis: axis))
    return powers / powers.sum(axis: axis, keepDims: true)
  }

  /// x − log Σ eˣ along an axis.
  public func logSoftmax(axis: Int) -> Tensor {
    let shifted = self - finiteMax(axis: axis)
    return shifted - log(exp(shifted).sum(axis: axis, keepDims: true))
  }

  /// The largest element along an axis, a constant; 0 where it is not finite.
  private func finiteMax(axis: Int) -> Tensor {
    let largest = detached.max(axis: axis, keepDims: true)
    return select(where: abs(largest) .< .infinity, largest, 0)
  }

  /// Running sums along an axis.
  public func cumulativeSum(axis: Int) -> Tensor {
    let axis = shape.resolved(axis)
    if axis == rank - 1 { return CumulativeSum(isReversed: false)(self) }
    return swappingAxes(axis, -1).cumulativeSum(axis: -1).swappingAxes(axis, -1)
  }
}
