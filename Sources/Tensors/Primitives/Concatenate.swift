import CKernels

/// Two tensors joined along an axis.
struct Concatenate: Primitive {
  let axis: Int

  func value(_ inputs: Operands) -> Operands {
    let (a, b) = (inputs.storage(0), inputs.storage(1))
    let y = Storage(shape: a.shape.replacing(axis, by: a.shape[axis] + b.shape[axis]), dtype: a.dtype)
    let rank = a.shape.rank
    let (countA, countB) = (a.shape.count(of: axis..<rank), b.shape.count(of: axis..<rank))
    let outer = a.shape.count(of: 0..<axis)
    let (mover, width) = (a.dtype.mover, countA + countB)
    ck_copy_rows(mover, outer, countA, a.address, countA, y.address, width)
    ck_copy_rows(mover, outer, countB, b.address, countB, y.address(countA), width)
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    func filled(_ i: Int) -> Tensor {
      tangents.optional(i) ?? .zeros(inputs[i].shape, dtype: inputs[i].dtype)
    }
    return Operands(self(filled(0), filled(1)))
  }
  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, split, end) = (g[0], inputs[0].shape[axis], outputs[0].shape[axis])
    return Operands(
      wanted[0] ? g.sliced(axis: axis, 0..<split) : nil, wanted[1] ? g.sliced(axis: axis, split..<end) : nil)
  }
}

/// Joins two tensors along an axis.
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

/// Joins tensors along an axis.
///
/// - Precondition: at least one; one dtype; shapes equal but for that axis.
public func concatenate(_ tensors: [Tensor], axis: Int) -> Tensor {
  require(!tensors.isEmpty, "concatenate needs at least one tensor")
  if tensors.count == 1 { return tensors[0] }
  if tensors[0].shape.resolved(axis) == 0, let joined = joinedRows(tensors) { return joined }
  // In halves: each element is copied log₂(count) times, and differentiation only has to know pairs.
  let half = tensors.count / 2
  return concatenate(
    concatenate(Array(tensors[..<half]), axis: axis), concatenate(Array(tensors[half...]), axis: axis),
    axis: axis)
}

/// Values in memory joined along axis 0 with one copy; nil for anything else.
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
    target.copyMemory(from: x.address, byteCount: x.byteCount)
    target += x.byteCount
  }
  return Tensor(y)
}

/// Joins tensors of one shape along a new axis.
public func stack(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
  concatenate(tensors.map { $0.expanded(axis: axis) }, axis: axis)
}
