import CKernels

/// The units of a layer for a batch of rows, of which the first ones are known and the rest follow one after the other:
/// [units, rows], so that they can be added to.
///
/// For values in memory only.
package struct Units {
  private let storage: Storage
  /// How many units are known.
  package private(set) var known = 0

  /// Room for `count` units of a batch.
  package init(_ count: Int, rows: Int, dtype: DType) {
    storage = Storage(shape: [count, rows], dtype: dtype)
  }

  /// Adds units [n, rows].
  package mutating func append(_ units: Tensor) {
    let rows = storage.shape[1]
    require(
      units.shape[-1] == rows && units.dtype == storage.dtype && known + units.shape[0] <= storage.shape[0],
      "units \(units.shape) \(units.dtype) after \(known) of \(storage.shape) \(storage.dtype)")
    let bytes = rows * storage.dtype.byteCount
    (storage.address + known * bytes).copyMemory(
      from: units.storage.address, byteCount: units.count * storage.dtype.byteCount)
    known += units.shape[0]
  }

  /// All units as the columns of a matrix [rows, units].
  package var matrix: Tensor { Tensor(storage)[0..<known].transposed() }

  /// f(xW + b) for some outputs, [outputs, rows], from the first `depth` units x.
  package func dense(
    _ depth: Int, _ weight: Tensor, _ bias: Tensor, _ epilogue: Epilogue, outputs: Range<Int>
  ) -> Tensor {
    require(depth <= known, "\(depth) units of \(known)")
    let (rows, row, w, b) = (storage.shape[1], weight.shape[1], weight.storage, bias.storage)
    let y = Storage(shape: [outputs.count, rows], dtype: storage.dtype)
    switch storage.dtype {
    case .float32:
      ck_dense_units_f32(
        rows, depth, outputs.count, storage.floats, w.floats + outputs.lowerBound, row,
        b.floats + outputs.lowerBound, epilogue.kernel, y.floats)
    case .float64:
      ck_dense_units_f64(
        rows, depth, outputs.count, storage.doubles, w.doubles + outputs.lowerBound, row,
        b.doubles + outputs.lowerBound, epilogue.kernel, y.doubles)
    case .int32: fatalError("int32 tensors are indices: no arithmetic")
    }
    return Tensor(y)
  }
}
