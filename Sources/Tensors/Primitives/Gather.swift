import CKernels

/// Entries of an axis picked by fixed indices. Its adjoint adds them back to their places.
struct Gather: Primitive {
  let axis: Int
  let indices: Tensor

  func value(_ inputs: Operands) -> Operands {
    let (x, index) = (inputs.storage(0), indices.storage)
    let y = Storage(shape: x.shape.replacing(axis, by: index.count), dtype: x.dtype)
    let (outer, inner) = (x.shape.count(of: 0..<axis), x.shape.count(of: axis + 1..<x.shape.rank))
    switch x.dtype {
    case .float64:
      ck_gather_f64(x.doubles, outer, x.shape[axis], inner, index.ints, index.count, y.doubles)
    case .float32, .int32:  // moves four-byte elements, whatever they mean
      ck_gather_f32(x.floats, outer, x.shape[axis], inner, index.ints, index.count, y.floats)
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(ScatterAdd(gather: self, size: inputs[0].shape[axis])(cotangents[0]))
  }
}

/// The adjoint of `Gather`: entries added to their places, in rising order.
struct ScatterAdd: Primitive {
  let gather: Gather
  let size: Int

  func value(_ inputs: Operands) -> Operands {
    let (x, index, axis) = (inputs.storage(0), gather.indices.storage, gather.axis)
    let y = Tensor.zeros(x.shape.replacing(axis, by: size), dtype: x.dtype).storage
    let (outer, inner) = (x.shape.count(of: 0..<axis), x.shape.count(of: axis + 1..<x.shape.rank))
    switch x.dtype {
    case .float32: ck_scatter_add_f32(x.floats, outer, size, inner, index.ints, index.count, y.floats)
    case .float64: ck_scatter_add_f64(x.doubles, outer, size, inner, index.ints, index.count, y.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(gather(cotangents[0]))
  }
}

extension Tensor {
  /// The entries of an axis at the given indices (dtype int32, one axis), in that order; repeats are allowed.
  ///
  /// - Precondition: every index lies within the axis.
  public func gathered(_ indices: Tensor, axis: Int = -1) -> Tensor {
    let axis = shape.resolved(axis)
    require(
      indices.dtype == .int32 && indices.rank == 1,
      "indices need dtype int32 and one axis, got \(indices.shape) \(indices.dtype)")
    require(
      indices.ints.allSatisfy { $0 >= 0 && $0 < shape[axis] },
      "an index lies outside axis \(axis) of shape \(shape)")
    return Gather(axis: axis, indices: indices.detached)(self)
  }

  /// Rows (axis 0) at the given indices.
  ///
  /// - Precondition: every index lies within axis 0.
  public func rows(_ indices: [Int]) -> Tensor { gathered(Tensor(ints: indices), axis: 0) }
}
