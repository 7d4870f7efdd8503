import CKernels

/// Chooses between the elements of two tensors by a mask.
struct Select: Primitive {
  func value(_ inputs: Operands) -> Operands {
    let (mask, a, b) = (inputs.storage(0), inputs.storage(1), inputs.storage(2))
    let y = Storage(shape: mask.shape, dtype: a.dtype)
    func step(_ operand: Storage) -> Int32 { operand.count == 1 ? 0 : 1 }
    ck_select(a.dtype.kernel, mask.address, 1, a.address, step(a), b.address, step(b), y.address, y.count)
    return Operands(Tensor(y))
  }

  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    let (a, b) = (tangents.optional(1), tangents.optional(2))
    if a == nil && b == nil { return Operands(nil) }
    let zero = Tensor(0, dtype: inputs[1].dtype)
    return Operands(self(inputs[0], a ?? zero, b ?? zero))
  }

  func cotangent(_ g: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands {
    let (g, zero) = (g[0], Tensor(0, dtype: g[0].dtype))
    return Operands(
      nil,
      wanted[1] ? self(inputs[0], g, zero).summed(to: inputs[1].shape) : nil,
      wanted[2] ? self(inputs[0], zero, g).summed(to: inputs[2].shape) : nil)
  }
}

/// a where the mask is not 0 and b elsewhere, broadcasting.
///
/// A branch that is not taken has derivative 0. If its own derivative is not finite, give it a safe operand:
/// `select(where: x .> 0, log(select(where: x .> 0, x, 1)), 0)`.
///
/// - Precondition: shapes broadcast, one dtype.
public func select(where mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
  require(
    mask.dtype == a.dtype && a.dtype == b.dtype, "select: dtypes \(mask.dtype), \(a.dtype), \(b.dtype) differ"
  )
  guard let ab = Shape.broadcast(a.shape, b.shape), let shape = Shape.broadcast(mask.shape, ab) else {
    fatalError("select: shapes \(mask.shape), \(a.shape), \(b.shape) do not broadcast")
  }
  func fitted(_ x: Tensor) -> Tensor { x.count == 1 && x.rank == 0 ? x : x.broadcast(to: shape) }
  return Select()(mask.broadcast(to: shape), fitted(a), fitted(b))
}

/// a where the mask is not 0, a number elsewhere.
public func select(where mask: Tensor, _ a: Tensor, _ b: Double) -> Tensor {
  select(where: mask, a, Tensor(b, dtype: a.dtype))
}

/// A number where the mask is not 0, b elsewhere.
public func select(where mask: Tensor, _ a: Double, _ b: Tensor) -> Tensor {
  select(where: mask, Tensor(a, dtype: b.dtype), b)
}
