/// The same elements in row-major order under another shape. A view: nothing is copied.
struct Reshape: Primitive {
  let shape: Shape

  func value(_ inputs: Operands) -> Operands {
    Operands(Tensor(Storage(viewing: inputs.storage(0), from: 0, shape: shape)))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(tangents[0].reshaped(to: shape))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(cotangents[0].reshaped(to: inputs[0].shape))
  }
}

/// Axes in another order.
struct Permute: Primitive {
  let axes: [Int]

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let old = x.shape.strides
    var strides = Strides.zero
    for (i, axis) in axes.enumerated() { strides[i] = old[axis] }
    return Operands(Tensor(stridedCopy(x, to: Shape(axes.map { x.shape[$0] }), strides: strides)))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(Permute(axes: axes)(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    var inverse = axes
    for (to, from) in axes.enumerated() { inverse[from] = to }
    return Operands(Permute(axes: inverse)(cotangents[0]))
  }
}

/// An axis in reverse order. Its own adjoint.
struct Flip: Primitive {
  let axis: Int

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    var strides = x.shape.strides
    let offset = x.count == 0 ? 0 : (x.shape[axis] - 1) * strides[axis]
    strides[axis] = -strides[axis]
    return Operands(Tensor(stridedCopy(x, to: x.shape, strides: strides, offset: offset)))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(Flip(axis: axis)(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(Flip(axis: axis)(cotangents[0]))
  }
}

/// Every `step`-th element of an axis from `start` on. Its adjoint spreads them over zeros.
struct Slice: Primitive {
  let axis: Int
  let start: Int
  let count: Int
  let step: Int

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let shape = x.shape.replacing(axis, by: count)
    var strides = x.shape.strides
    let offset = shape.count == 0 ? 0 : start * strides[axis]
    if axis == 0 && step == 1 { return Operands(Tensor(Storage(viewing: x, from: offset, shape: shape))) }
    strides[axis] *= step
    return Operands(Tensor(stridedCopy(x, to: shape, strides: strides, offset: offset)))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(Spread(slice: self, size: inputs[0].shape[axis])(cotangents[0]))
  }
}

/// The adjoint of `Slice`: its elements at their places among zeros.
struct Spread: Primitive {
  let slice: Slice
  let size: Int

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    let y = Tensor.zeros(x.shape.replacing(slice.axis, by: size), dtype: x.dtype).storage
    let inner = x.shape.count(of: slice.axis + 1..<x.shape.rank)
    for outer in 0..<x.shape.count(of: 0..<slice.axis) {
      place(x, outer * slice.count * inner, y, outer * size * inner, inner)
    }
    return Operands(Tensor(y))
  }

  private func place(_ x: Storage, _ from: Int, _ y: Storage, _ to: Int, _ inner: Int) {
    let bytes = x.dtype.byteCount
    let run = slice.step == 1 ? slice.count * inner : inner
    for i in 0..<(slice.step == 1 ? 1 : slice.count) {
      (y.address + (to + (slice.start + i * slice.step) * inner) * bytes)
        .copyMemory(from: x.address + (from + i * inner) * bytes, byteCount: run * bytes)
    }
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(slice(cotangents[0]))
  }
}

/// Two tensors end to end along an axis.
struct Concatenate: Primitive {
  let axis: Int

  func value(_ inputs: Operands) -> Operands {
    let (a, b) = (inputs.storage(0), inputs.storage(1))
    let y = Storage(shape: a.shape.replacing(axis, by: a.shape[axis] + b.shape[axis]), dtype: a.dtype)
    let (countA, countB) = (
      a.shape.count(of: axis..<a.shape.rank), b.shape.count(of: axis..<b.shape.rank)
    )
    let outer = a.shape.count(of: 0..<axis)
    if a.dtype.byteCount == 4 && countA + countB <= 16 {  // short rows: column by column
      copyColumns(a.ints, countA, 1, y.ints, countA + countB, rows: outer, columns: countA)
      copyColumns(b.ints, countB, 1, y.ints + countA, countA + countB, rows: outer, columns: countB)
      return Operands(Tensor(y))
    }
    let (bytesA, bytesB) = (countA * a.dtype.byteCount, countB * a.dtype.byteCount)
    for row in 0..<outer {
      let target = y.address + row * (bytesA + bytesB)
      target.copyMemory(from: a.address + row * bytesA, byteCount: bytesA)
      (target + bytesA).copyMemory(from: b.address + row * bytesB, byteCount: bytesB)
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    func filled(_ i: Int) -> Tensor {
      tangents.optional(i) ?? .zeros(inputs[i].shape, dtype: inputs[i].dtype)
    }
    return Operands(Concatenate(axis: axis)(filled(0), filled(1)))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    let (g, split, end) = (cotangents[0], inputs[0].shape[axis], outputs[0].shape[axis])
    return Operands(
      wanted[0] ? g.sliced(axis: axis, 0..<split) : nil, wanted[1] ? g.sliced(axis: axis, split..<end) : nil)
  }
}

/// Elements converted to another floating-point type.
struct Cast: Primitive {
  let dtype: DType

  func value(_ inputs: Operands) -> Operands {
    let x = inputs[0]
    switch dtype {
    case .float32: return Operands(Tensor(floats: x.floats, shape: x.shape))
    case .float64: return Operands(Tensor(doubles: x.doubles, shape: x.shape))
    case .int32: fatalError("real numbers are not cast to indices")
    }
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(tangents[0].cast(to: dtype))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(cotangents[0].cast(to: inputs[0].dtype))
  }
}

extension Tensor {
  /// The same elements under another shape.
  ///
  /// - Precondition: equal counts.
  public func reshaped(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    require(shape.count == count, "shape \(self.shape) cannot be reshaped to \(shape)")
    return Reshape(shape: shape)(self)
  }

  /// Axes in another order; `axes[i]` is the old place of the new axis i.
  ///
  /// - Precondition: a permutation of 0..<rank.
  public func permuted(axes: [Int]) -> Tensor {
    require(axes.sorted() == Array(0..<rank), "\(axes) is not a permutation of the axes of \(shape)")
    return axes == Array(0..<rank) ? self : Permute(axes: axes)(self)
  }

  /// Two axes exchanged.
  public func swappingAxes(_ a: Int, _ b: Int) -> Tensor {
    var axes = Array(0..<rank)
    axes.swapAt(shape.resolved(a), shape.resolved(b))
    return permuted(axes: axes)
  }

  /// The matrix transpose: the last two axes exchanged.
  public func transposed() -> Tensor { swappingAxes(-1, -2) }

  /// An axis in reverse order.
  public func flipped(axis: Int) -> Tensor { Flip(axis: shape.resolved(axis))(self) }

  /// A range of an axis, or every `step`-th element of it.
  ///
  /// - Precondition: the range lies within the axis; step at least 1.
  public func sliced(axis: Int, _ range: Range<Int>, step: Int = 1) -> Tensor {
    let axis = shape.resolved(axis)
    require(
      range.lowerBound >= 0 && range.upperBound <= shape[axis] && step >= 1,
      "slice \(range) by \(step) of axis \(axis) of shape \(shape)")
    if range == 0..<shape[axis] && step == 1 { return self }
    return Slice(axis: axis, start: range.lowerBound, count: (range.count + step - 1) / step, step: step)(
      self)
  }

  /// The entry at index i of axis 0, without that axis.
  public subscript(i: Int) -> Tensor { sliced(axis: 0, i..<i + 1).reshaped(to: shape.sample) }

  /// A range of axis 0.
  public subscript(range: Range<Int>) -> Tensor { sliced(axis: 0, range) }

  /// An axis of size 1 more.
  public func expanded(axis: Int) -> Tensor { reshaped(to: shape.inserting(1, at: axis)) }

  /// Converted to another floating-point type.
  ///
  /// - Precondition: both types are floating point.
  public func cast(to dtype: DType) -> Tensor { dtype == self.dtype ? self : Cast(dtype: dtype)(self) }
}

/// Two tensors end to end along an axis.
///
/// - Precondition: one dtype; shapes equal but for that axis.
public func concatenate(_ a: Tensor, _ b: Tensor, axis: Int) -> Tensor {
  let (shapeA, shapeB) = (a.shape, b.shape)
  let axis = shapeA.resolved(axis)
  require(
    a.dtype == b.dtype && shapeA.rank == shapeB.rank
      && shapeA.replacing(axis, by: 0) == shapeB.replacing(axis, by: 0),
    "cannot concatenate \(shapeA) \(a.dtype) and \(shapeB) \(b.dtype) along axis \(axis)")
  return Concatenate(axis: axis)(a, b)
}

/// Tensors end to end along an axis.
///
/// - Precondition: at least one; one dtype; shapes equal but for that axis.
public func concatenate(_ tensors: [Tensor], axis: Int) -> Tensor {
  require(!tensors.isEmpty, "concatenate needs at least one tensor")
  if tensors.count == 1 { return tensors[0] }
  if tensors[0].shape.resolved(axis) == 0, let joined = joinedRows(tensors) { return joined }
  // In halves: each element is copied log₂(count) times, and a tree of pairs is all that differentiation has to know.
  let half = tensors.count / 2
  return concatenate(
    concatenate(Array(tensors[..<half]), axis: axis), concatenate(Array(tensors[half...]), axis: axis),
    axis: axis)
}

/// Values in memory end to end along axis 0, copied once; nil for anything else.
private func joinedRows(_ tensors: [Tensor]) -> Tensor? {
  let first = tensors[0]
  for tensor in tensors {
    guard tensor.level == 0, tensor.rank == first.rank, tensor.dtype == first.dtype,
      tensor.shape.replacing(0, by: 0) == first.shape.replacing(0, by: 0)
    else { return nil }
  }
  let y = Storage(shape: first.shape.replacing(0, by: tensors.reduce(0) { $0 + $1.rows }), dtype: first.dtype)
  var target = y.address
  for tensor in tensors {
    let x = tensor.storage
    let bytes = x.count * x.dtype.byteCount
    target.copyMemory(from: x.address, byteCount: bytes)
    target += bytes
  }
  return Tensor(y)
}

/// Tensors of one shape along a new axis.
public func stack(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
  concatenate(tensors.map { $0.expanded(axis: axis) }, axis: axis)
}
