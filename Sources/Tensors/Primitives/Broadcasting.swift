import CKernels

/// f(a, b) on values, broadcasting. Where both shapes agree, or one is a number, it is one kernel call.
///
/// - Precondition: shapes broadcast, one dtype.
func broadcastBinary(_ kernel: ck_binary, _ a: Storage, _ b: Storage) -> Tensor {
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
    // Short rows would spend their time on calls: lay the smaller operand out in full instead.
    let fullA = stridedCopy(a, to: shape, strides: a.shape.broadcastStrides(to: shape))
    let fullB = stridedCopy(b, to: shape, strides: b.shape.broadcastStrides(to: shape))
    run(kernel, fullA, 0, 1, fullB, 0, 1, y, 0, y.count)
    return Tensor(y)
  }
  let (stridesA, stridesB) = (a.shape.broadcastStrides(to: shape), b.shape.broadcastStrides(to: shape))
  let (stepA, stepB) = (stridesA[shape.rank - 1], stridesB[shape.rank - 1])
  forEachRow(of: shape, stridesA, stridesB) { row, offsetA, offsetB in
    run(kernel, a, offsetA, stepA, b, offsetB, stepB, y, row * length, length)
  }
  return Tensor(y)
}

private func run(
  _ kernel: ck_binary, _ a: Storage, _ offsetA: Int, _ stepA: Int, _ b: Storage, _ offsetB: Int, _ stepB: Int,
  _ y: Storage, _ offset: Int, _ count: Int
) {
  switch y.dtype {
  case .float32:
    ck_binary_f32(
      kernel, a.floats + offsetA, Int32(stepA), b.floats + offsetB, Int32(stepB), y.floats + offset, count)
  case .float64:
    ck_binary_f64(
      kernel, a.doubles + offsetA, Int32(stepA), b.doubles + offsetB, Int32(stepB), y.doubles + offset, count)
  case .int32: fatalError("int32 tensors are indices: no arithmetic")
  }
}

extension Storage {
  /// Whether the elements, in order, repeat themselves all through a shape that this one broadcasts to.
  fileprivate func isSuffix(of shape: Shape) -> Bool {
    count > 0 && shape.count > 0
      && shape.count(of: (shape.rank - self.shape.trimmed.rank)..<shape.rank) == count
  }
}

extension Shape {
  /// Without leading axes of size 1.
  fileprivate var trimmed: Shape {
    var axis = 0
    while axis < rank, self[axis] == 1 { axis += 1 }
    return suffix(from: axis)
  }
}

/// Walks `total` elements in blocks of whole repeats of `x`: a row by itself would spend its time on calls.
private func forEachBlock(
  of x: Storage, _ total: Int, _ body: (_ block: Storage, _ start: Int, _ count: Int) -> Void
) {
  let repeats = min(max(1, 1024 / x.count), total / x.count)
  let block = Storage(shape: [repeats, x.count], dtype: x.dtype)
  let bytes = x.count * x.dtype.byteCount
  for i in 0..<repeats { (block.address + i * bytes).copyMemory(from: x.address, byteCount: bytes) }
  for start in stride(from: 0, to: total, by: block.count) {
    body(block, start, min(block.count, total - start))
  }
}

/// Walks the rows (last axis) of a shape, with the offsets of two operands that have their own strides.
private func forEachRow(
  of shape: Shape, _ stridesA: Strides, _ stridesB: Strides, _ body: (_ row: Int, _ a: Int, _ b: Int) -> Void
) {
  let outer = shape.rank - 1
  withCounts { index in
    var (a, b) = (0, 0)
    for row in 0..<shape.count(of: 0..<outer) {
      body(row, a, b)
      var axis = outer - 1
      while axis >= 0 {
        index[axis] += 1
        a += stridesA[axis]
        b += stridesB[axis]
        if index[axis] < shape[axis] { break }
        a -= index[axis] * stridesA[axis]
        b -= index[axis] * stridesB[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}

extension Shape {
  /// This shape's strides as seen from a shape it broadcasts to: 0 along repeated axes.
  func broadcastStrides(to shape: Shape) -> Strides {
    var result = Strides.zero
    let (own, missing) = (strides, shape.rank - rank)
    for axis in 0..<rank where self[axis] != 1 { result[axis + missing] = own[axis] }
    return result
  }
}

/// Repeats along missing axes and axes of size 1. Its adjoint is the sum over them.
struct Broadcast: Primitive {
  let shape: Shape

  func value(_ inputs: Operands) -> Operands {
    let x = inputs.storage(0)
    return Operands(Tensor(stridedCopy(x, to: shape, strides: x.shape.broadcastStrides(to: shape))))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(tangents[0].broadcast(to: shape))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(cotangents[0].summed(to: inputs[0].shape))
  }
}

extension Tensor {
  /// The tensor repeated to a larger shape, by NumPy's rules.
  ///
  /// - Precondition: the shape broadcasts to it.
  public func broadcast(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    require(
      Shape.broadcast(self.shape, shape) == shape, "shape \(self.shape) does not broadcast to \(shape)")
    return Broadcast(shape: shape)(self)
  }

  /// The adjoint of `broadcast(to:)`: the sum over every axis along which `shape` was repeated.
  public func summed(to shape: Shape) -> Tensor {
    if shape == self.shape { return self }
    let extra = rank - shape.rank
    var result =
      extra > 0 ? sum(over: 0..<extra).reshaped(to: self.shape.suffix(from: extra)) : self
    for axis in 0..<shape.rank where shape[axis] == 1 && result.shape[axis] != 1 {
      result = result.sum(axis: axis, keepDims: true)
    }
    return result
  }
}
