import Tensors

/// An array file that stays on the disk: rows are read where they are asked for, so data may be larger than memory.
///
/// ```swift
/// let data = try MappedArray("large.npy")
/// for batch in data.batches(of: 256, key: Key(0)) {     // one pass, in an order drawn from the key
///   let rows = try data.rows(batch)                     // [256, ...]
/// }
/// ```
///
/// The types and their conversion are those of ``NPY``. Rows of a file in Fortran order lie scattered over it and are
/// slower to read. The file must not be shortened while it is in use.
public struct MappedArray: Sendable {
  /// The array's shape; axis 0 counts the rows.
  public let shape: Shape
  /// The dtype of the rows given out.
  public let dtype: DType

  private let file: MappedFile
  private let header: NPYHeader
  private let source: String

  /// Maps a file.
  ///
  /// - Parameters:
  ///   - path: An array file, `.npy`, with at least one axis.
  ///   - dtype: What rows are converted to; by default as ``NPY`` says.
  /// - Throws: `FlowError.file` with the byte at which the file is something else than expected.
  public init(_ path: String, dtype: DType? = nil) throws(FlowError) {
    file = try MappedFile(path)
    let bytes = BinaryBytes(bytes: file.bytes, source: path)
    header = try NPYHeader(bytes)
    guard header.shape.rank > 0 else {
      throw bytes.error(at: header.start, "expected an array of rows, got a single number")
    }
    _ = try bytes.slice(header.start, count: header.byteCount, "an array of \(header.shape)")
    shape = header.shape
    self.dtype = dtype ?? header.type.dtype
    source = path
  }

  /// A range of rows.
  ///
  /// - Throws: `FlowError.file` for a whole number that int32 does not hold, or a real one beyond float32.
  /// - Precondition: the rows exist.
  public func rows(_ range: Range<Int>) throws(FlowError) -> Tensor { try rows(Array(range)) }

  /// Rows in the order given, `[indices.count] + sample`.
  ///
  /// - Throws: `FlowError.file` for a whole number that int32 does not hold, or a real one beyond float32.
  /// - Precondition: the rows exist.
  public func rows(_ indices: [Int]) throws(FlowError) -> Tensor {
    let count = shape[0]
    require(
      indices.allSatisfy { $0 >= 0 && $0 < count }, "rows of an array of \(count) rows are in 0..<\(count)")
    let sample = shape.sample.count
    let elements = Elements(
      type: header.type,
      content: UnsafeRawBufferPointer(
        rebasing: file.bytes[header.start..<header.start + header.byteCount]),
      isBigEndian: header.isBigEndian)
    // In Fortran order a row's number is the fastest index, and the sample's axes stand reversed.
    let steps = header.isFortranOrder ? fortranOffsets() : []
    let positions = indices.lazy.flatMap { row in
      (0..<sample).lazy.map { header.isFortranOrder ? row + steps[$0] : row * sample + $0 }
    }
    var misfit: (position: Int, value: String)?
    let tensor = Tensor(shape: shape.replacing(0, by: indices.count), dtype: dtype) { target in
      misfit = elements.place(positions, in: target, as: dtype)
      if misfit != nil { target.initializeMemory(as: UInt8.self, repeating: 0) }
    }
    withExtendedLifetime(file) {}
    if let misfit {
      throw BinaryBytes(bytes: file.bytes, source: source).error(
        at: header.start + misfit.position * header.type.byteCount,
        "expected a number that \(dtype) holds, got \(misfit.value)")
    }
    return tensor
  }

  /// Where each element of a sample stands, from its row's first, in Fortran order.
  private func fortranOffsets() -> [Int] {
    var strides = [shape[0]]
    for axis in 1..<max(shape.rank, 1) { strides.append(strides[axis - 1] * shape[axis]) }
    let sizes = shape.sample.sizes
    return (0..<shape.sample.count).map { element in
      var (rest, offset) = (element, 0)
      for axis in sizes.indices.reversed() {
        offset += rest % sizes[axis] * strides[axis]
        rest /= sizes[axis]
      }
      return offset
    }
  }
}
