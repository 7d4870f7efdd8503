import CKernels

/// A new storage of `shape` whose element at index i is element `offset` + Σ i·strides of `x`.
///
/// Transposes, slices and repeats are made this way.
func stridedCopy(_ x: Storage, to shape: Shape, strides: Strides, offset: Int = 0) -> Storage {
  let y = Storage(shape: shape, dtype: x.dtype)
  if shape.rank == 2, strides[0] == 1, strides[1] == shape[0] {  // the transpose of a matrix, in blocks
    ck_transpose(x.dtype.mover, x.address(offset), shape[1], shape[0], y.address)
  } else if shape.rank == 2, strides[1] == 1, strides[0] > 0 {
    ck_copy_rows(x.dtype.mover, shape[0], shape[1], x.address(offset), strides[0], y.address, shape[1])
  } else if shape.rank == 2, strides[1] == -1, strides[0] > 0 {
    let first = offset - max(shape[1] - 1, 0)
    ck_reverse_rows(x.dtype.mover, shape[0], shape[1], x.address(first), strides[0], y.address)
  } else if x.dtype.byteCount == 4 {
    copy(x.ints + offset, y.ints, shape, strides)
  } else {
    copy(x.pointer(to: Double.self) + offset, y.pointer(), shape, strides)
  }
  return y
}

/// Copies a matrix with few columns, one column after the other.
private func copyColumns<Element>(
  _ x: UnsafeMutablePointer<Element>, _ xRow: Int, _ xColumn: Int, _ y: UnsafeMutablePointer<Element>,
  _ yRow: Int, rows: Int, columns: Int
) {
  for j in 0..<columns {
    var (source, target) = (x + j * xColumn, y + j)
    for _ in 0..<rows {
      target.pointee = source.pointee
      (source, target) = (source + xRow, target + yRow)
    }
  }
}

private func copy<Element>(
  _ x: UnsafeMutablePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ shape: Shape, _ strides: Strides
) {
  let rank = shape.rank
  if shape.count == 0 { return }
  // The longest run of trailing axes that is contiguous in x is moved as one.
  var (run, outer) = (1, rank)
  while outer > 0, strides[outer - 1] == run || shape[outer - 1] == 1 {
    run *= shape[outer - 1]
    outer -= 1
  }
  if outer == 0 {
    y.update(from: x, count: run)
    return
  }
  if outer == 2 && run == 1 && shape[1] <= 16 {  // short rows would spend their time on counting
    copyColumns(x, strides[0], strides[1], y, shape[1], rows: shape[0], columns: shape[1])
    return
  }
  // The last axis before the run is the inner loop.
  let (length, step) = (shape[outer - 1], strides[outer - 1])
  forEachRow(of: shape, outer, strides, .zero) { row, offset, _ in
    var (element, target) = (x + offset, y + row * length * run)
    if run == 1 {
      for i in 0..<length {
        target[i] = element.pointee
        element += step
      }
    } else {
      for _ in 0..<length {
        target.update(from: element, count: run)
        target += run
        element += step
      }
    }
  }
}

/// Visits the rows of the first `rank` axes of a shape, with the offsets of two operands by their strides.
@inline(__always)
func forEachRow(
  of shape: Shape, _ rank: Int, _ stridesA: Strides, _ stridesB: Strides,
  _ body: (_ row: Int, _ a: Int, _ b: Int) -> Void
) {
  // The counts are in memory of their own, since single lanes of a vector are slow to change.
  withUnsafeTemporaryAllocation(of: Int.self, capacity: Shape.maximumRank) { index in
    index.initialize(repeating: 0)
    var (a, b) = (0, 0)
    for row in 0..<shape.count(of: 0..<rank - 1) {
      body(row, a, b)
      var axis = rank - 2
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
