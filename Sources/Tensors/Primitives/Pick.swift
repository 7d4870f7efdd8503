/// Picks one entry of each row of the last axis, at an index per row. The adjoint puts it back among zeros.
struct Pick: LinearPrimitive {
  /// One integer per row, stored in the dtype of the input.
  let index: Tensor

  func value(_ x: Storage) -> Storage {
    let (places, width) = (index.storage, x.shape[-1])
    let y = Storage(like: places)
    func pick<S: Scalar>(_: S.Type) {
      let (x, places, target) = (x.pointer(to: S.self), places.pointer(to: S.self), y.pointer(to: S.self))
      for row in 0..<y.count { target[row] = x[row * width + Int(places[row])] }
    }
    x.dtype.withScalar { pick($0) }
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { Place(pick: self, size: x.shape[-1])(g) }
}

/// The adjoint of `Pick`. It puts each number at its index in a row of zeros.
struct Place: LinearPrimitive {
  let pick: Pick
  let size: Int

  func value(_ x: Storage) -> Storage {
    let places = pick.index.storage
    let y = Tensor.zeros(x.shape.inserting(size, at: -1), dtype: x.dtype).storage
    func place<S: Scalar>(_: S.Type) {
      let (source, places, y) = (x.pointer(to: S.self), places.pointer(to: S.self), y.pointer(to: S.self))
      for row in 0..<x.count { y[row * size + Int(places[row])] = source[row] }
    }
    x.dtype.withScalar { place($0) }
    return y
  }
  func adjoint(_ g: Tensor, _ x: Tensor) -> Tensor { pick(g) }
}

extension Tensor {
  /// From x [..., n] the elements x[..., index[...]], one from each row of the last axis.
  ///
  /// `index` has the dtype of x, so that a count of comparisons can serve as one. It is a constant to every
  /// transformation.
  ///
  /// - Precondition: shapes and dtypes fit; every index is an integer in 0..<n.
  public func picked(at index: Tensor) -> Tensor {
    require(
      rank >= 1 && shape.removing(-1) == index.shape && dtype == index.dtype,
      "picked: index \(index.shape) \(index.dtype) from \(shape) \(dtype)")
    let (index, size) = (index.detached, Double(shape[-1]))
    if let graph = index.graph {
      // As in `gathered`.
      return Pick(index: index)(graph.following(self))
    }
    require(
      index.doubles.allSatisfy { $0 >= 0 && $0 < size && $0 == $0.rounded(.down) },
      "picked: an index is not a whole number in 0..<\(shape[-1])")
    return Pick(index: index)(self)
  }
}
