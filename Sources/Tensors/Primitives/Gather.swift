import CKernels

/// Picks entries of an axis by fixed indices. The adjoint adds them back to their places.
struct Gather: LinearPrimitive {
  let axis: Int
  let indices: Tensor

  func value(_ x: Storage) -> Storage {
    let index = indices.storage
    let y = Storage(shape: x.shape.replacing(axis, by: index.count), dtype: x.dtype)
    let (outer, inner) = (x.shape.count(of: 0..<axis), x.shape.count(of: axis + 1..<x.shape.rank))
    ck_gather(x.dtype.mover, x.address, outer, x.shape[axis], inner, index.ints, index.count, y.address)
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { ScatterAdd(gather: self, size: x.shape[axis])(g) }
}

/// The adjoint of `Gather`. It adds entries to their places, in rising order.
struct ScatterAdd: LinearPrimitive {
  let gather: Gather
  let size: Int

  func value(_ x: Storage) -> Storage {
    let (index, axis) = (gather.indices.storage, gather.axis)
    let y = Tensor.zeros(x.shape.replacing(axis, by: size), dtype: x.dtype).storage
    let (outer, inner) = (x.shape.count(of: 0..<axis), x.shape.count(of: axis + 1..<x.shape.rank))
    ck_scatter_add(x.dtype.kernel, x.address, outer, size, inner, index.ints, index.count, y.address)
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { gather(g) }
}

extension Tensor {
  /// The entries of an axis at the given indices (dtype int32, one axis), in that order. Repeats are allowed.
  ///
  /// - Precondition: every index lies within the axis.
  public func gathered(_ indices: Tensor, axis: Int = -1) -> Tensor {
    let axis = shape.resolved(axis)
    require(
      indices.dtype == .int32 && indices.rank == 1,
      "indices need dtype int32 and one axis, got \(indices.shape) \(indices.dtype)")
    require(
      indices.isSymbolic || indices.ints.allSatisfy { $0 >= 0 && $0 < shape[axis] },
      "an index lies outside axis \(axis) of shape \(shape)")
    // Indices are a property of the primitive, so their graph has to follow its input too.
    let own = indices.graph.map { $0.following(self) } ?? self
    return Gather(axis: axis, indices: indices.detached)(own)
  }

  /// The rows (axis 0) at the given indices.
  ///
  /// - Precondition: every index lies within axis 0.
  public func rows(_ indices: [Int]) -> Tensor { gathered(Tensor(ints: indices), axis: 0) }
}
