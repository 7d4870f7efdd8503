/// One entry of each row of the last axis, at an index of its own. Its adjoint puts it back among zeros.
struct Pick: Primitive {
  /// Whole numbers, one for each row.
  let index: Tensor

  func value(_ inputs: Operands) -> Operands {
    let (x, places) = (inputs.storage(0), index.storage)
    let y = Storage(shape: places.shape, dtype: x.dtype)
    switch x.dtype {
    case .float32:
      for row in 0..<y.count { y.floats[row] = x.floats[row * x.shape[-1] + Int(places.floats[row])] }
    case .float64:
      for row in 0..<y.count { y.doubles[row] = x.doubles[row * x.shape[-1] + Int(places.doubles[row])] }
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(Place(pick: self, size: inputs[0].shape[-1])(cotangents[0]))
  }
}

/// The adjoint of `Pick`: each number at its index in a row of zeros.
struct Place: Primitive {
  let pick: Pick
  let size: Int

  func value(_ inputs: Operands) -> Operands {
    let (x, places) = (inputs.storage(0), pick.index.storage)
    let y = Tensor.zeros(x.shape.inserting(size, at: -1), dtype: x.dtype).storage
    switch x.dtype {
    case .float32:
      for row in 0..<x.count { y.floats[row * size + Int(places.floats[row])] = x.floats[row] }
    case .float64:
      for row in 0..<x.count { y.doubles[row * size + Int(places.doubles[row])] = x.doubles[row] }
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Operands(Tensor(y))
  }
  func tangent(_ tangents: Operands, _ inputs: Operands, _ outputs: Operands) -> Operands {
    Operands(self(tangents[0]))
  }
  func cotangent(_ cotangents: Operands, _ inputs: Operands, _ outputs: Operands, wanted: Wanted) -> Operands
  {
    Operands(pick(cotangents[0]))
  }
}

extension Tensor {
  /// From x [..., n] the elements x[..., index[...]]: one of each row of the last axis, [...].
  ///
  /// `index` has the dtype of x, so that a count of comparisons can be one; it is a constant to every transformation.
  ///
  /// - Precondition: shapes and dtypes fit; every index is a whole number in 0..<n.
  public func picked(at index: Tensor) -> Tensor {
    require(
      rank >= 1 && shape.removing(-1) == index.shape && dtype == index.dtype,
      "picked: index \(index.shape) \(index.dtype) from \(shape) \(dtype)")
    let (index, size) = (index.detached, Double(shape[-1]))
    require(
      index.doubles.allSatisfy { $0 >= 0 && $0 < size && $0 == $0.rounded(.down) },
      "picked: an index is not a whole number in 0..<\(shape[-1])")
    return Pick(index: index)(self)
  }
}
