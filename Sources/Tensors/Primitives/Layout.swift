/// The same elements in row-major order under another shape. It is a view and copies nothing.
struct Reshape: LinearPrimitive {
  let shape: Shape

  func value(_ x: Storage) -> Storage { Storage(viewing: x, from: 0, shape: shape) }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { g.reshaped(to: x.shape) }
}

/// Axes in another order.
struct Permute: LinearPrimitive {
  let axes: [Int]

  func value(_ x: Storage) -> Storage {
    let old = x.shape.strides
    var strides = Strides.zero
    for (i, axis) in axes.enumerated() { strides[i] = old[axis] }
    return stridedCopy(x, to: Shape(axes.map { x.shape[$0] }), strides: strides)
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor {
    var inverse = axes
    for (to, from) in axes.enumerated() { inverse[from] = to }
    return Permute(axes: inverse)(g)
  }
}

/// An axis in reverse order. It is its own adjoint.
struct Flip: LinearPrimitive {
  let axis: Int

  func value(_ x: Storage) -> Storage {
    var strides = x.shape.strides
    let offset = x.count == 0 ? 0 : (x.shape[axis] - 1) * strides[axis]
    strides[axis] = -strides[axis]
    return stridedCopy(x, to: x.shape, strides: strides, offset: offset)
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { self(g) }
}

/// Every `step`-th element of an axis from `start` on. The adjoint spreads them over zeros.
struct Slice: LinearPrimitive {
  let axis, start, count, step: Int

  func value(_ x: Storage) -> Storage {
    let shape = x.shape.replacing(axis, by: count)
    var strides = x.shape.strides
    let offset = shape.count == 0 ? 0 : start * strides[axis]
    if axis == 0 && step == 1 { return Storage(viewing: x, from: offset, shape: shape) }
    strides[axis] *= step
    return stridedCopy(x, to: shape, strides: strides, offset: offset)
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { Spread(slice: self, size: x.shape[axis])(g) }
}

/// The adjoint of `Slice`. It puts elements at their places among zeros.
struct Spread: LinearPrimitive {
  let slice: Slice
  let size: Int

  func value(_ x: Storage) -> Storage {
    let y = Tensor.zeros(x.shape.replacing(slice.axis, by: size), dtype: x.dtype).storage
    let inner = x.shape.count(of: slice.axis + 1..<x.shape.rank)
    let (runs, run) = slice.step == 1 ? (1, slice.count * inner) : (slice.count, inner)
    for outer in 0..<x.shape.count(of: 0..<slice.axis) {
      for i in 0..<runs {
        let place = outer * size + slice.start + i * slice.step
        y.address(place * inner).copyMemory(
          from: x.address((outer * slice.count + i) * inner), byteCount: run * x.dtype.byteCount)
      }
    }
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { slice(g) }
}

/// Elements converted to another floating-point type.
struct Cast: LinearPrimitive {
  let dtype: DType

  func value(_ x: Storage) -> Storage {
    require(dtype != .int32, "real numbers are not cast to indices")
    let x = Tensor(x)
    if dtype == .float32 { return Tensor(floats: x.floats, shape: x.shape).storage }
    return Tensor(doubles: x.doubles, shape: x.shape).storage
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { g.cast(to: x.dtype) }
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

  /// The axes in another order. New axis i is old axis `axes[i]`.
  ///
  /// - Precondition: a permutation of 0..<rank.
  public func permuted(axes: [Int]) -> Tensor {
    require(axes.sorted() == Array(0..<rank), "\(axes) is not a permutation of the axes of \(shape)")
    return axes == Array(0..<rank) ? self : Permute(axes: axes)(self)
  }

  /// The tensor with two axes exchanged.
  public func swappingAxes(_ a: Int, _ b: Int) -> Tensor {
    var axes = Array(0..<rank)
    axes.swapAt(shape.resolved(a), shape.resolved(b))
    return permuted(axes: axes)
  }

  /// The matrix transpose, which exchanges the last two axes.
  public func transposed() -> Tensor { swappingAxes(-1, -2) }

  /// The tensor with an axis in reverse order.
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

  /// The entry at index i of axis 0, without that axis. −1 is the last.
  public subscript(i: Int) -> Tensor {
    sliced(axis: 0, i.elements(of: shape[0])).reshaped(to: shape.sample)
  }

  /// A range of axis 0.
  public subscript(range: Range<Int>) -> Tensor { sliced(axis: 0, range) }

  /// The tensor with an additional axis of size 1.
  public func expanded(axis: Int) -> Tensor { reshaped(to: shape.inserting(1, at: axis)) }

  /// The elements converted to another floating-point type.
  ///
  /// - Precondition: both types are floating point.
  public func cast(to dtype: DType) -> Tensor { dtype == self.dtype ? self : Cast(dtype: dtype)(self) }
}
