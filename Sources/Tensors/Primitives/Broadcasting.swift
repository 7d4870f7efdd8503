import CKernels

/// f(a, b) on values, broadcasting. Equal shapes, or a single number, take one kernel call.
///
/// - Precondition: shapes broadcast, one dtype.
func broadcastBinary(_ kernel: ck_operation, _ a: Storage, _ b: Storage) -> Tensor {
  require(a.dtype == b.dtype, "operands have dtypes \(a.dtype) and \(b.dtype)")
  guard let shape = Shape.broadcast(a.shape, b.shape) else {
    fatalError("shapes \(a.shape) and \(b.shape) do not broadcast")
  }
  let y = Storage(shape: shape, dtype: a.dtype)
  let isPlain = (a.shape == shape || a.count == 1) && (b.shape == shape || b.count == 1)
  if isPlain {
    run(kernel, a, 0, a.shape == shape ? 1 : 0, b, 0, b.shape == shape ? 1 : 0, y, 0, y.count)
    return Tensor(y)
  }
  if a.shape == shape, b.isSuffix(of: shape) {
    forEachBlock(of: b, y.count) { block, start, count in
      run(kernel, a, start, 1, block, 0, 1, y, start, count)
    }
    return Tensor(y)
  }
  if b.shape == shape, a.isSuffix(of: shape) {
    forEachBlock(of: a, y.count) { block, start, count in
      run(kernel, block, 0, 1, b, start, 1, y, start, count)
    }
    return Tensor(y)
  }
  let length = shape[-1]
  if length < 16 {
    // Short rows would spend their time on calls: copy the smaller operand to the full shape instead.
    let fullA = stridedCopy(a, to: shape, strides: a.shape.broadcastStrides(to: shape))
    let fullB = stridedCopy(b, to: shape, strides: b.shape.broadcastStrides(to: shape))
    run(kernel, fullA, 0, 1, fullB, 0, 1, y, 0, y.count)
    return Tensor(y)
  }
  let (stridesA, stridesB) = (a.shape.broadcastStrides(to: shape), b.shape.broadcastStrides(to: shape))
  let (stepA, stepB) = (stridesA[shape.rank - 1], stridesB[shape.rank - 1])
  forEachRow(of: shape, shape.rank, stridesA, stridesB) { row, offsetA, offsetB in
    run(kernel, a, offsetA, stepA, b, offsetB, stepB, y, row * length, length)
  }
  return Tensor(y)
}

private func run(
  _ kernel: ck_operation, _ a: Storage, _ offsetA: Int, _ stepA: Int, _ b: Storage, _ offsetB: Int,
  _ stepB: Int, _ y: Storage, _ offset: Int, _ count: Int
) {
  ck_binary(
    y.dtype.kernel, kernel, a.address(offsetA), Int32(stepA), b.address(offsetB), Int32(stepB),
    y.address(offset), count)
}

extension Storage {
  /// Whether a shape that this one broadcasts to consists of whole repeats of the elements in order.
  fileprivate func isSuffix(of shape: Shape) -> Bool {
    count > 0 && shape.count > 0
      && shape.count(of: (shape.rank - self.shape.trimmed.rank)..<shape.rank) == count
  }
}

extension Shape {
  /// The shape without leading axes of size 1.
  fileprivate var trimmed: Shape {
    var axis = 0
    while axis < rank, self[axis] == 1 { axis += 1 }
    return suffix(from: axis)
  }
}

/// Visits `total` elements in blocks of whole repeats of `x`. Single rows would spend their time on calls.
private func forEachBlock(
  of x: Storage, _ total: Int, _ body: (_ block: Storage, _ start: Int, _ count: Int) -> Void
) {
  let block = x.repeated(toFill: total)
  for start in stride(from: 0, to: total, by: block.count) {
    body(block, start, min(block.count, total - start))
  }
}

extension Storage {
  /// Whole repeats of the elements, of which blocks of `total` elements consist.
  fileprivate func repeated(toFill total: Int) -> Storage {
    let repeats = min(max(1, 1024 / count), total / count)
    let block = Storage(shape: [repeats, count], dtype: dtype)
    block.address.copyMemory(from: address, byteCount: byteCount)
    var filled = count
    while filled < block.count {  // twice as many each time
      let some = min(filled, block.count - filled)
      block.address(filled).copyMemory(from: block.address, byteCount: some * dtype.byteCount)
      filled += some
    }
    return block
  }
}

extension Shape {
  /// The strides of this shape as seen from a shape it broadcasts to. They are 0 along repeated axes.
  func broadcastStrides(to shape: Shape) -> Strides {
    var result = Strides.zero
    let (own, missing) = (strides, shape.rank - rank)
    for axis in 0..<rank where self[axis] != 1 { result[axis + missing] = own[axis] }
    return result
  }
}

/// Repeats along missing axes and axes of size 1. The adjoint is the sum over them.
struct Broadcast: LinearPrimitive {
  let shape: Shape

  func value(_ x: Storage) -> Storage {
    stridedCopy(x, to: shape, strides: x.shape.broadcastStrides(to: shape))
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { g.summed(to: x.shape) }
}

extension Tensor {
  /// The tensor repeated to a larger shape by NumPy's rules.
  ///
  /// - Precondition: the shape broadcasts to it.
  public func broadcast(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    require(Shape.broadcast(self.shape, shape) == shape, "shape \(self.shape) does not broadcast to \(shape)")
    return Broadcast(shape: shape)(self)
  }

  /// The sum over every axis along which `shape` broadcasts to this shape: the adjoint of `broadcast(to:)`.
  public func summed(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    let extra = rank - shape.rank
    var result = extra > 0 ? sum(over: 0..<extra).reshaped(to: self.shape.suffix(from: extra)) : self
    for axis in 0..<shape.rank where shape[axis] == 1 && result.shape[axis] != 1 {
      result = result.sum(axis: axis, keepDims: true)
    }
    return result
  }
}
