import CKernels

/// A new storage of `shape` whose element at index i is `x` at `offset` + Σ i·strides: transposes, slices, repeats.
func stridedCopy(_ x: Storage, to shape: Shape, strides: Strides, offset: Int = 0) -> Storage {
  let y = Storage(shape: shape, dtype: x.dtype)
  if shape.rank == 2, strides[0] == 1, strides[1] == shape[0] {  // a matrix turned over, in blocks
    let (rows, columns) = (shape[1], shape[0])
    if x.dtype.byteCount == 4 {
      ck_transpose_f32(x.floats + offset, rows, columns, y.floats)
    } else {
      ck_transpose_f64(x.doubles + offset, rows, columns, y.doubles)
    }
  } else if x.dtype.byteCount == 4 {
    copy(x.ints + offset, y.ints, shape, strides)
  } else {
    copy(x.doubles + offset, y.doubles, shape, strides)
  }
  return y
}

/// A matrix with few columns, one column after the other.
func copyColumns<Element>(
  _ x: UnsafeMutablePointer<Element>, _ xRow: Int, _ xColumn: Int, _ y: UnsafeMutablePointer<Element>,
  _ yRow: Int,
  rows: Int, columns: Int
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
  if outer == 2 && run == 1 && shape[1] <= 16 {  // short rows would spend their time on the counting below
    copyColumns(x, strides[0], strides[1], y, shape[1], rows: shape[0], columns: shape[1])
    return
  }
  // The last axis that is not part of the run is the inner loop; the ones before it are counted through.
  let (length, step) = (shape[outer - 1], strides[outer - 1])
  withCounts { index in
    var (source, target) = (x, y)
    while true {
      if run == 1 {
        var element = source
        for i in 0..<length {
          target[i] = element.pointee
          element += step
        }
        target += length
      } else {
        var element = source
        for _ in 0..<length {
          target.update(from: element, count: run)
          target += run
          element += step
        }
      }
      var axis = outer - 2
      while axis >= 0 {
        index[axis] += 1
        source += strides[axis]
        if index[axis] < shape[axis] { break }
        source -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}

/// Calls `body` with a zero for each axis. They lie in memory of their own: a vector's lanes are slow to change one by one.
func withCounts(_ body: (UnsafeMutableBufferPointer<Int>) -> Void) {
  withUnsafeTemporaryAllocation(of: Int.self, capacity: Shape.maximumRank) { counts in
    counts.initialize(repeating: 0)
    body(counts)
  }
}
